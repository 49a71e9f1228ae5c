"""How commands show runs: a bar while they go, then their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

from tqdm import tqdm

from catalog.models import FeatureGroup
from ingestion.models import IngestionRun, RunKind, RunState
from ingestion.runs import execute_now, request_run

_STEPS_OF_A_BAR = 100


@contextmanager
def _bar(title: str) -> Iterator[tqdm[Never]]:
    with tqdm(
        total=_STEPS_OF_A_BAR, desc=title, leave=False, disable=None, bar_format="{desc}: {postfix} {bar}"
    ) as bar:
        yield bar


def execute_with_bar(group: FeatureGroup, *, kind: RunKind, trigger: str, timeout: float) -> IngestionRun:
    """Execute a run of ``group`` in this process and show how far it is, where there is a terminal."""
    run = request_run(group=group, kind=kind, trigger=trigger)
    with _bar(group.name) as bar:

        def show(step: str, share: float) -> None:
            bar.set_postfix_str(step, refresh=False)
            bar.n = int(share * _STEPS_OF_A_BAR)
            bar.refresh()

        return execute_now(run, show=show, timeout=timeout)


def summary_of(run: IngestionRun) -> str:
    """The run in one line: what it read and what became of it."""
    if run.state != RunState.SUCCEEDED:
        return f"{run.group.name}: {run.state}: {run.error or 'waits for another run of the group'}"
    seconds = "" if run.seconds is None else f" in {run.seconds:.1f} s"
    return (
        f"{run.group.name}: {run.rows_read:,} rows read{seconds}: {run.rows_appended:,} new in history, "
        f"{run.rows_online:,} online, {run.rows_unchanged:,} unchanged"
        + "".join(
            f", {count:,} {what}"
            for count, what in (
                (run.rows_superseded, "superseded"),
                (run.rows_flagged, "flagged"),
                (run.rows_rejected, "quarantined"),
            )
            if count
        )
    )

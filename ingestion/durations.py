"""How long a run took against what is usual for its group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

from catalog.drawings import Markup, Percentiles, percentile_bar
from catalog.presentation import format_span
from catalog.wording import gettext as _
from ingestion.models import IngestionRun, RunState

DAYS, FEWEST, _MOST_PER_GROUP = 30, 5, 100
Key = tuple[int, str]


@dataclass(frozen=True)
class Usual:
    """The durations of the last succeeded runs of one group and kind, in seconds."""

    percentiles: Percentiles
    runs: int

    def says(self, seconds: float) -> str:
        """Where ``seconds`` lie among them, in words: unusual is beyond the fences of Tukey (1977)."""
        if self.is_exceeded_by(seconds):
            return _("longer than usual")
        return _("shorter than usual") if seconds < self.percentiles.lower - self._fence else _("as usual")

    def is_exceeded_by(self, seconds: float) -> bool:
        """Whether ``seconds`` are unusually long."""
        return seconds > self.percentiles.upper + self._fence

    @property
    def _fence(self) -> float:
        return 1.5 * (self.percentiles.upper - self.percentiles.lower)

    def said_of(self, run: IngestionRun) -> str:
        """How the duration of ``run`` compares; empty unless it did all of its work."""
        return "" if run.seconds is None or run.state != RunState.SUCCEEDED else self.says(run.seconds)


def usual_durations(runs: Iterable[IngestionRun], *, at: datetime) -> Mapping[Key, Usual]:
    """What is usual for the groups and kinds of ``runs``; those with fewer than FEWEST runs are left out. One query."""
    keys = {(run.group_id, run.kind) for run in runs}
    ended = (
        IngestionRun.objects.filter(
            group__in={group for group, _kind in keys},
            state=RunState.SUCCEEDED,
            created_at__gte=at - timedelta(days=DAYS),
            started_at__isnull=False,
        )
        .order_by("-created_at")
        .values_list("group", "kind", "started_at", "finished_at")[: _MOST_PER_GROUP * max(len(keys), 1)]
    )
    seconds: dict[Key, list[float]] = defaultdict(list)
    for group, kind, started, finished in ended:
        if (group, kind) in keys and started is not None and finished is not None:
            seconds[group, kind].append((finished - started).total_seconds())
    return {key: _usual(found[:_MOST_PER_GROUP]) for key, found in seconds.items() if len(found) >= FEWEST}


def _usual(seconds: list[float]) -> Usual:
    lower, median, upper = quantiles(seconds, n=4, method="inclusive")
    return Usual(Percentiles(min(seconds), lower, median, upper, max(seconds)), runs=len(seconds))


def duration_bar(run: IngestionRun, usual: Usual | None, *, labels: bool = False, width: float = 110) -> Markup | None:
    """The duration of ``run`` against the usual ones; None while it has not ended, or where nothing is usual yet."""
    if usual is None or run.seconds is None:
        return None
    said = {"count": usual.runs, "low": _span(usual.percentiles.lower), "high": _span(usual.percentiles.upper)}
    return percentile_bar(
        percentiles=usual.percentiles,
        mark=run.seconds,
        title=f"{_span(run.seconds)}" + (f", {usual.says(run.seconds)}" if run.state == RunState.SUCCEEDED else ""),
        description=_("Half of the last %(count)s took between %(low)s and %(high)s.") % said,
        width=width,
        height=44 if labels else 18,
        labels=labels,
    )


def _span(seconds: float) -> str:
    return format_span(timedelta(seconds=seconds))

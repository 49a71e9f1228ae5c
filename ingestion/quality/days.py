"""The last days of a group, each with what its runs and checks came to (pure: no Django)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum


class DayState(StrEnum):
    """What a day came to; the names are those of the cells of a heat grid."""

    GOOD = "good"
    WARN = "warn"  # something failed or fell short, and was mended the same day
    BAD = "bad"  # the last run failed, or the last check fell short
    LATE = "late"  # today, and the newest value is older than was promised
    RUNNING = "running"  # nothing ended yet


@dataclass(frozen=True, slots=True)
class RunOfDay:
    """One run: whether it failed, and whether its check passed (None: it made none). A validation ingests nothing."""

    id: str
    at: datetime
    state: str
    passed: bool | None
    ingests: bool = True


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one group; ``run`` is the one to look at first: the one that went wrong, or the last."""

    day: date
    state: DayState
    runs: int
    failed: int
    fell_short: int
    run: str


def last_days(at: datetime, *, count: int) -> list[date]:
    """The days up to that of ``at`` (UTC), oldest first."""
    today = at.astimezone(UTC).date()
    return [today - timedelta(days=back) for back in range(count - 1, -1, -1)]


def days_of(runs: Iterable[RunOfDay], *, days: Sequence[date], late: bool) -> list[Day | None]:
    """One entry per day, None where nothing ran; ``late`` marks the last of them unless it is already bad."""
    by_day: dict[date, list[RunOfDay]] = defaultdict(list)
    for run in sorted(runs, key=lambda one: one.at):
        by_day[run.at.astimezone(UTC).date()].append(run)
    found = [_day(day, by_day[day]) if by_day[day] else None for day in days]
    if late and days:
        last = found[-1]
        if last is None:
            found[-1] = Day(day=days[-1], state=DayState.LATE, runs=0, failed=0, fell_short=0, run="")
        elif last.state in (DayState.GOOD, DayState.WARN):
            found[-1] = Day(last.day, DayState.LATE, last.runs, last.failed, last.fell_short, last.run)
    return found


def _day(day: date, runs: Sequence[RunOfDay]) -> Day:
    failed = [run for run in runs if run.state == "failed"]
    short = [run for run in runs if run.passed is False and run.state != "failed"]
    ended = [run for run in runs if run.state in ("succeeded", "failed")]
    checked = [run for run in ended if run.passed is not None]
    ingested = [run for run in ended if run.ingests]
    if not ended:
        state = DayState.RUNNING
    elif (ingested or ended)[-1].state == "failed" or (checked and checked[-1].passed is False):
        state = DayState.BAD
    else:
        state = DayState.WARN if failed or short else DayState.GOOD
    first = (failed or short or ended or list(runs))[-1]
    return Day(day=day, state=state, runs=len(runs), failed=len(failed), fell_short=len(short), run=first.id)

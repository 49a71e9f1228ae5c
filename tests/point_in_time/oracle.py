"""The point-in-time rules in the slowest and most obvious way: every value row against every entity row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True)
class ValueRow:
    key: str | None
    event: datetime | None
    created: datetime | None
    arrival: int | None
    value: object


@dataclass(frozen=True)
class Answer:
    """Whether a row answered, and what it holds."""

    row: ValueRow | None

    def value_or(self, default: object) -> object:
        return default if self.row is None else self.row.value


def rank(row: ValueRow) -> tuple[object, ...]:
    """Greatest wins: event, then created with null first, then arrival with null first."""
    return (
        row.event,
        row.created is not None,
        row.created or row.event,
        row.arrival is not None,
        row.arrival or 0,
    )


def answer(
    rows: Iterable[ValueRow],
    *,
    key: str | None,
    time: datetime,
    max_age: timedelta | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    known_at: datetime | Literal["event_time"] | None = None,
) -> Answer:
    known_by = time if known_at == "event_time" else known_at
    best: ValueRow | None = None
    for row in rows:
        if key is None or row.key != key or row.event is None or row.event > time:
            continue
        if max_age is not None and time - row.event > max_age:
            continue
        if (start is not None and row.event < start) or (end is not None and row.event > end):
            continue
        if known_by is not None and (row.created is None or row.created > known_by):
            continue
        if best is None or rank(row) > rank(best):  # type: ignore[operator]
            best = row
    return Answer(best)

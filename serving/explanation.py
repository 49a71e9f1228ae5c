"""Why a value is what it is: the row that answers, and the rule by which it beat each other one (pure: no Django).

The rules are those of the point-in-time join, applied to the rows of one entity one by one. Times are microseconds
since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Rule(StrEnum):
    """Why a row does not answer; of several that apply, the first of this list is told."""

    FUTURE = "future"  # its event lies after the time asked for
    NOT_KNOWN_YET = "not_known_yet"  # the store learned it after the known-at, or nobody knows when
    TOO_OLD = "too_old"  # its event lies before the max age
    OLDER_EVENT = "older_event"  # the row that answers has a newer event
    OLDER_CREATED = "older_created"  # of the same event, the row that answers was created later
    DUPLICATE = "duplicate"  # the same event, created timestamp and value as the row that answers
    EARLIER_ARRIVAL = "earlier_arrival"  # of the same event and created timestamp, it arrived earlier


@dataclass(frozen=True)
class Candidate:
    """One value row of the entity; ``created`` and ``arrival`` are None where they are not known."""

    event: int
    created: int | None
    arrival: int | None
    run_id: str
    value: Any


@dataclass(frozen=True)
class Beaten:
    candidate: Candidate
    rule: Rule


@dataclass(frozen=True)
class Explanation:
    """The row that answers, None where none does, and the others, the nearest to answering first."""

    winner: Candidate | None
    beaten: tuple[Beaten, ...]


def explain(
    candidates: Sequence[Candidate], *, at: int, max_age: int | None = None, known_at: int | None = None
) -> Explanation:
    """Which of the rows answers at ``at``, and why the others do not.

    ``max_age`` is in microseconds; with ``known_at`` only rows created by then count. Of rows that nothing tells
    apart, the last in ``candidates`` answers.
    """
    barred = [_barred(row, at=at, max_age=max_age, known_at=known_at) for row in candidates]
    open_rows = [position for position, rule in enumerate(barred) if rule is None]
    chosen = max(open_rows, key=lambda position: (_rank(candidates[position]), position), default=None)
    winner = None if chosen is None else candidates[chosen]
    order = sorted(range(len(candidates)), key=lambda position: (_rank(candidates[position]), position), reverse=True)
    beaten = [
        Beaten(candidates[position], barred[position] or _lost(candidates[position], winner))
        for position in order
        if position != chosen
    ]
    nearest = sorted(beaten, key=lambda one: one.rule is Rule.FUTURE)
    return Explanation(winner=winner, beaten=tuple(nearest))


def _barred(row: Candidate, *, at: int, max_age: int | None, known_at: int | None) -> Rule | None:
    if row.event > at:
        return Rule.FUTURE
    if known_at is not None and (row.created is None or row.created > known_at):
        return Rule.NOT_KNOWN_YET
    if max_age is not None and at - row.event > max_age:
        return Rule.TOO_OLD
    return None


def _lost(row: Candidate, winner: Candidate | None) -> Rule:
    assert winner is not None, "a row that is not barred answers where no other does"
    if row.event != winner.event:
        return Rule.OLDER_EVENT
    if row.created != winner.created:
        return Rule.OLDER_CREATED
    return Rule.DUPLICATE if _same(row.value, winner.value) else Rule.EARLIER_ARRIVAL


def _rank(row: Candidate) -> tuple[int, bool, int, bool, int]:
    """Greatest answers: event, then created with null first, then arrival with null first."""
    return (row.event, row.created is not None, row.created or 0, row.arrival is not None, row.arrival or 0)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other or (one != one and other != other))

"""Why a value is what it is: each rule by name, and the winner the oracle's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.explanation import Candidate, Rule, explain
from tests.point_in_time.oracle import ValueRow, answer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def row(
    event: int, *, created: int | None = None, arrival: int | None = None, value: object = None, run: str = "run"
) -> Candidate:
    return Candidate(event=event, created=created, arrival=arrival, run_id=run, value=value)


def rules(*rows: Candidate, at: int = 100, max_age: int | None = None, known_at: int | None = None) -> list[str]:
    """Per row ``wins`` or the rule that beat it."""
    found = explain(rows, at=at, max_age=max_age, known_at=known_at)
    told = {id(one.candidate): one.rule.value for one in found.beaten}
    assert len(found.beaten) == len(rows) - (found.winner is not None)
    return [told.get(id(one), "wins") for one in rows]


@pytest.mark.parametrize(
    ("rows", "limits", "expected"),
    [
        ([row(100), row(101)], {}, ["wins", "future"]),
        ([row(99), row(100)], {}, ["older_event", "wins"]),
        ([row(90), row(89)], {"max_age": 10}, ["wins", "too_old"]),
        ([row(89)], {"max_age": 10}, ["too_old"]),
        ([row(50, created=60), row(40, created=59)], {"known_at": 59}, ["not_known_yet", "wins"]),
        ([row(50), row(40, created=1)], {"known_at": 59}, ["not_known_yet", "wins"]),
        ([row(50, created=7), row(50, created=6), row(50)], {}, ["wins", "older_created", "older_created"]),
        (
            [row(50, created=7, arrival=2, value=1), row(50, created=7, arrival=1, value=2), row(50, created=7)],
            {},
            ["wins", "earlier_arrival", "earlier_arrival"],
        ),
        (
            [row(50, created=7, arrival=1, value=1.0), row(50, created=7, arrival=2, value=1.0)],
            {},
            ["duplicate", "wins"],
        ),
        ([row(50, value=[float("nan")]), row(50, value=[float("nan")])], {}, ["duplicate", "wins"]),
        ([row(120, created=130)], {"known_at": 100}, ["future"]),
        ([row(80, created=130)], {"known_at": 100, "max_age": 10}, ["not_known_yet"]),
        ([], {}, []),
    ],
)
def test_each_rule(rows: list[Candidate], limits: dict[str, int], expected: list[str]) -> None:
    assert rules(*rows, **limits) == expected


def test_those_nearest_to_answering_come_first() -> None:
    found = explain([row(10), row(120), row(30), row(110), row(20)], at=100)
    assert found.winner == row(30)
    assert [(one.candidate.event, one.rule) for one in found.beaten] == [
        (20, Rule.OLDER_EVENT),
        (10, Rule.OLDER_EVENT),
        (120, Rule.FUTURE),
        (110, Rule.FUTURE),
    ]


small = st.integers(0, 4)
candidate_rows = st.builds(
    row, small, created=st.none() | small, arrival=st.none() | small, value=st.none() | st.integers(0, 2)
)


@given(
    rows=st.lists(candidate_rows, max_size=8),
    at=small,
    max_age=st.none() | small,
    known_at=st.none() | small,
)
def test_the_winner_is_the_oracles(rows: list[Candidate], at: int, max_age: int | None, known_at: int | None) -> None:
    def instant(count: int | None) -> datetime | None:
        return None if count is None else EPOCH + timedelta(microseconds=count)

    stored = [
        ValueRow("1", instant(one.event), instant(one.created), one.arrival, (one.event, one.created, one.arrival))
        for one in rows
    ]
    expected = answer(
        stored,
        key="1",
        time=EPOCH + timedelta(microseconds=at),
        max_age=None if max_age is None else timedelta(microseconds=max_age),
        known_at=instant(known_at),
    )
    found = explain(rows, at=at, max_age=max_age, known_at=known_at)
    winner = found.winner
    assert (None if winner is None else (winner.event, winner.created, winner.arrival)) == expected.value_or(None)
    assert len(found.beaten) == len(rows) - (winner is not None)

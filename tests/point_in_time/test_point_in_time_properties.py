"""The join against the brute-force oracle, and what must not change an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pyarrow as pa
import pyarrow.dataset as ds
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.point_in_time import TimeRange, join_point_in_time, latest_rows
from tests.point_in_time import oracle
from tests.point_in_time.oracle import ValueRow
from tests.point_in_time.tables import entities, group, history

BASE = datetime(1970, 1, 1, tzinfo=UTC)
# Few distinct keys and instants, so that ties, equal bounds and duplicates are the rule and not the exception.
KEYS = st.sampled_from(["a", "b", "1|23", "12|3", "A"])
INSTANTS = st.integers(-6, 6).map(lambda count: BASE + timedelta(microseconds=count))
AGES = st.none() | st.integers(0, 8).map(lambda count: timedelta(microseconds=count)) | st.just(timedelta.max)
KNOWN: st.SearchStrategy[datetime | Literal["event_time"] | None] = st.one_of(
    st.none(), st.just("event_time"), INSTANTS
)


@st.composite
def histories(draw: st.DrawFn) -> list[ValueRow]:
    """Value rows; those of one (key, event, created, arrival) are exact duplicates, as the order says no more."""
    rows = draw(
        st.lists(
            st.builds(
                ValueRow,
                key=st.none() | KEYS,
                event=st.none() | INSTANTS,
                created=st.none() | INSTANTS,
                arrival=st.none() | st.integers(0, 3),
                value=st.none() | st.integers(2**53, 2**63 - 1),
            ),
            max_size=40,
        )
    )
    distinct = {(row.key, row.event, row.created, row.arrival): row for row in rows}
    return [distinct[row.key, row.event, row.created, row.arrival] for row in rows]


REQUESTS = st.lists(st.tuples(st.none() | KEYS, INSTANTS), max_size=20)
RANGES = st.tuples(st.none() | INSTANTS, st.none() | INSTANTS).map(
    lambda ends: ends if None in ends else tuple(sorted(ends))  # type: ignore[type-var]
)


def joined_values(
    rows: pa.Table | ds.Dataset,
    asked: list[tuple[str | None, datetime]],
    max_age: timedelta | None = None,
    within: tuple[datetime | None, datetime | None] = (None, None),
    known_at: datetime | Literal["event_time"] | None = None,
    default: int | None = None,
) -> list[object]:
    joined = join_point_in_time(
        entities=entities(asked),
        time_column="at",
        groups=[group(rows, max_age=max_age, default=default)],
        time_range=TimeRange(*within),
        known_at=known_at,
    )
    assert joined.select(["key", "at"]).equals(entities(asked))
    return joined.column("balance").to_pylist()


@settings(max_examples=200, deadline=None)
@given(histories(), REQUESTS, AGES, RANGES, KNOWN, st.none() | st.just(7))
def test_the_join_answers_as_the_oracle(
    rows: list[ValueRow],
    asked: list[tuple[str | None, datetime]],
    max_age: timedelta | None,
    within: tuple[datetime | None, datetime | None],
    known_at: datetime | Literal["event_time"] | None,
    default: int | None,
) -> None:
    expected = [
        oracle.answer(
            rows, key=key, time=time, max_age=max_age, start=within[0], end=within[1], known_at=known_at
        ).value_or(default)
        for key, time in asked
    ]
    assert joined_values(history(rows), asked, max_age, within, known_at, default) == expected


@settings(max_examples=60, deadline=None)
@given(histories(), REQUESTS, KNOWN, st.data())
def test_shuffling_and_splitting_the_history_changes_nothing(
    rows: list[ValueRow],
    asked: list[tuple[str | None, datetime]],
    known_at: datetime | Literal["event_time"] | None,
    data: st.DataObject,
) -> None:
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    parts = [history(shuffled[start:end]) for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    as_stored = joined_values(history(rows), asked, known_at=known_at)
    assert joined_values(pa.concat_tables(parts), asked, known_at=known_at) == as_stored
    assert joined_values(ds.dataset([ds.dataset(part) for part in parts]), asked, known_at=known_at) == as_stored


@settings(max_examples=60, deadline=None)
@given(histories(), REQUESTS, st.data())
def test_shuffling_the_entity_rows_shuffles_the_answers(
    rows: list[ValueRow], asked: list[tuple[str | None, datetime]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(asked))))
    answers = joined_values(history(rows), asked)
    assert joined_values(history(rows), [asked[index] for index in order]) == [answers[index] for index in order]


@settings(max_examples=60, deadline=None)
@given(histories(), REQUESTS, AGES, KEYS)
def test_a_future_row_changes_nothing(
    rows: list[ValueRow], asked: list[tuple[str | None, datetime]], max_age: timedelta | None, key: str
) -> None:
    last = max((time for _, time in asked), default=BASE)
    future = ValueRow(key=key, event=last + timedelta(microseconds=1), created=BASE, arrival=9, value=-1)
    with_future = joined_values(history([*rows, future]), asked, max_age)
    assert with_future == joined_values(history(rows), asked, max_age)


@settings(max_examples=60, deadline=None)
@given(histories(), REQUESTS, KEYS, INSTANTS, st.booleans())
def test_a_row_that_was_learned_later_changes_nothing_for_those_who_ask_what_was_known(
    rows: list[ValueRow], asked: list[tuple[str | None, datetime]], key: str, event: datetime, each: bool
) -> None:
    last = max((time for _, time in asked), default=BASE)
    known_at: datetime | Literal["event_time"] = "event_time" if each else last
    later = ValueRow(key=key, event=event, created=last + timedelta(microseconds=1), arrival=9, value=-1)
    unknown = ValueRow(key=key, event=event, created=None, arrival=9, value=-1)
    as_it_was = joined_values(history(rows), asked, known_at=known_at)
    assert joined_values(history([*rows, later, unknown]), asked, known_at=known_at) == as_it_was


@settings(max_examples=60, deadline=None)
@given(histories(), st.none() | INSTANTS)
def test_the_latest_rows_are_the_answers_at_that_time(rows: list[ValueRow], as_of: datetime | None) -> None:
    time = as_of or BASE + timedelta(days=1)
    expected = {
        key: found.row.value
        for key in {row.key for row in rows if row.key is not None}
        if (found := oracle.answer(rows, key=key, time=time)).row is not None
    }
    newest = latest_rows(history(rows), as_of=as_of, columns=["balance_v1"])
    keys, values = newest.column("entity_key").to_pylist(), newest.column("balance_v1").to_pylist()
    assert len(keys) == len(expected)
    assert dict(zip(keys, values, strict=True)) == expected

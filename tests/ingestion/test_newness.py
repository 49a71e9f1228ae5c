"""Which rows of a source are new: by content, against a slow and obvious oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.newness import NewRows, select_new_rows

START = datetime(2025, 3, 1, tzinfo=UTC)
STAMP = pa.timestamp("us", tz="UTC")
Row = tuple[str, int, int | None, float | None]  # key, event, created, value


def instants(numbers: list[int | None]) -> pa.Array:
    return pa.array([None if n is None else START + timedelta(microseconds=n) for n in numbers], STAMP)


def incoming(rows: list[Row]) -> pa.Table:
    return pa.table(
        {
            "entity_key": pa.array([row[0] for row in rows], pa.string()),
            "event_timestamp": instants([row[1] for row in rows]),
            "created_timestamp": instants([row[2] for row in rows]),
            "source_row": pa.array(range(len(rows)), pa.int64()),
            "x_v1": pa.array([row[3] for row in rows], pa.float64()),
        }
    )


def stored(rows: list[Row], *, run: str | None = "earlier") -> pads.Dataset:
    """History in the order of arrival."""
    table = incoming(rows).rename_columns({"source_row": "arrival"})
    return pads.dataset(table.append_column("run_id", pa.array([run] * len(rows), pa.string())))


def select(rows: list[Row], history: pads.Dataset | None, **options: Any) -> NewRows:
    options = {"value_columns": ["x_v1"], "source_has_created": False} | options
    return select_new_rows(incoming=incoming(rows), history=history, **options)


def new_values(found: NewRows) -> list[tuple[str, float | None]]:
    return list(zip(found.rows["entity_key"].to_pylist(), found.rows["x_v1"].to_pylist(), strict=True))


def oracle(rows: list[Row], held: list[Row], *, created: bool) -> tuple[list[int], int, int]:
    """Positions of the new rows, and how many are unchanged and superseded."""

    def identity(row: Row) -> tuple[Any, ...]:
        return row[:3] if created else row[:2]

    last = {identity(row): position for position, row in enumerate(rows)}
    newest: dict[tuple[Any, ...], Row] = {}
    for row in held:
        before = newest.get(identity(row))
        if before is None or (row[2] is not None, row[2] or 0) >= (before[2] is not None, before[2] or 0):
            newest[identity(row)] = row
    kept = sorted(last.values())
    new = [at for at in kept if identity(rows[at]) not in newest or newest[identity(rows[at])][3] != rows[at][3]]
    return new, len(kept) - len(new), len(rows) - len(kept)


_rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ä|"]),
        st.integers(0, 2),
        st.none() | st.integers(0, 2),
        st.none() | st.sampled_from([0.0, 1.0, 2.5]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(rows=_rows, held=_rows, created=st.booleans())
def test_as_the_oracle_says(rows: list[Row], held: list[Row], created: bool) -> None:
    found = select(rows, stored(held), source_has_created=created)

    positions, unchanged, superseded = oracle(rows, held, created=created)
    assert found.rows["source_row"].to_pylist() == positions
    assert (found.unchanged, found.superseded) == (unchanged, superseded)


def test_without_history_all_are_new() -> None:
    found = select([("a", 0, None, 1.0), ("a", 0, None, 2.0), ("b", 0, None, 3.0)], None)

    assert new_values(found) == [("a", 2.0), ("b", 3.0)]
    assert (found.unchanged, found.superseded) == (0, 1)


def test_nothing_comes_in() -> None:
    found = select([], stored([("a", 0, 0, 1.0)]))
    assert (found.rows.num_rows, found.unchanged, found.superseded) == (0, 0, 0)


def test_rows_of_the_run_itself_do_not_count_as_held() -> None:
    held = stored([("a", 0, 0, 1.0)], run="mine")

    assert new_values(select([("a", 0, None, 1.0)], held, ignore_run="mine")) == [("a", 1.0)]
    assert new_values(select([("a", 0, None, 1.0)], held)) == []


def test_rows_of_others_without_a_run_count_as_held() -> None:
    held = stored([("a", 0, None, 1.0)], run=None)
    assert new_values(select([("a", 0, None, 1.0)], held, ignore_run="mine")) == []


def test_a_column_that_history_lacks_is_new_where_it_has_a_value() -> None:
    held = stored([("a", 0, 0, 1.0), ("b", 0, 0, 1.0)])
    rows = incoming([("a", 0, None, 1.0), ("b", 0, None, 1.0)]).append_column("y_v1", pa.array(["new", None]))

    found = select_new_rows(incoming=rows, history=held, value_columns=["x_v1", "y_v1"], source_has_created=False)

    assert found.rows["entity_key"].to_pylist() == ["a"]


def test_values_are_compared_exactly() -> None:
    def column(values: list[Any], kind: pa.DataType) -> pa.Table:
        return incoming([("a", 0, None, None)]).set_column(4, "x_v1", pa.array(values, kind))

    pairs: list[tuple[pa.DataType, Any, Any]] = [
        (pa.int64(), 2**53, 2**53 + 1),
        (pa.string(), "ä", "a\u0308"),
        (pa.string(), "", None),
        (pa.string(), "a", "a "),
        (pa.bool_(), False, None),
        (pa.list_(pa.float64()), [1.0, None], [1.0]),
        (STAMP, START, START + timedelta(microseconds=1)),
        (pa.float64(), 0.1 + 0.2, 0.3),
    ]
    for kind, one, other in pairs:
        held = column([one], kind).rename_columns({"source_row": "arrival"}).append_column("run_id", pa.array(["r"]))
        for value, expected in ((one, 0), (other, 1)):
            found = select_new_rows(
                incoming=column([value], kind),
                history=pads.dataset(held),
                value_columns=["x_v1"],
                source_has_created=False,
            )
            assert found.rows.num_rows == expected, (kind, value)


def test_a_memory_limit_is_taken() -> None:
    assert new_values(select([("a", 0, None, 1.0)], stored([]), memory_limit="1GB")) == [("a", 1.0)]

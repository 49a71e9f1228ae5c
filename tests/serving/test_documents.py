"""The JSON text of rows is, byte for byte, what an object per value would be written as."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.documents import iso_text, json_column, json_documents

STAMP = pa.timestamp("us", tz="UTC")
FLOATS = [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e16, 1e22, 1e-7, 123456789012345680.0, 0.1 + 0.2]
FLOATS += [1.7976931348623157e308, math.nan, math.inf, -math.inf]
TEXTS = [
    "",
    "null",
    'a "quoted" word',
    "back\\slash",
    "line\nbreak\ttab\x00\x1f\x7f",
    "Zürich 客 🦊",
    "a,b]}",
    "\u2028",
]

floats = st.one_of(st.floats(), st.floats(width=32), st.sampled_from(FLOATS))
texts = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(TEXTS))
instants = st.datetimes(timezones=st.just(UTC))
KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.float64(), floats),
    (pa.float32(), st.floats(width=32)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.bool_(), st.booleans()),
    (pa.string(), texts),
    (pa.large_string(), texts),
    (pa.dictionary(pa.int32(), pa.string()), texts),
    (STAMP, instants),
    (pa.list_(pa.float64()), st.lists(st.one_of(floats, st.none()), max_size=4)),
    (pa.list_(pa.float32()), st.lists(st.one_of(st.floats(width=32), st.none()), max_size=4)),
    (pa.null(), st.none()),
]


def plain(value: Any) -> Any:
    """A value as JSON has it, decided for each by itself."""
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def one_by_one(table: pa.Table) -> list[bytes]:
    """What an object for every value is written as; orjson writes NaN and infinity as null."""
    return [orjson.dumps({name: plain(value) for name, value in row.items()}) for row in table.to_pylist()]


def written(table: pa.Table) -> list[bytes]:
    return [text.encode() for text in json_documents(table).to_pylist()]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A few rows of columns of any kinds, cut into chunks anywhere, their names as odd as JSON allows."""
    rows = draw(st.integers(0, 6))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    names = draw(st.lists(texts, min_size=len(kinds), max_size=len(kinds), unique=True))
    columns = [
        pa.array(draw(st.lists(st.one_of(st.none(), values), min_size=rows, max_size=rows)), kind)
        for kind, values in kinds
    ]
    table = pa.table(columns, names=names)
    cut, start = draw(st.integers(0, rows)), draw(st.integers(0, rows))
    return pa.concat_tables([table.slice(0, cut), table.slice(cut)]).slice(start)


@given(tables())
@example(pa.table({"x": pa.array([*FLOATS, None], pa.float64()), "y": pa.array([None, *FLOATS], pa.float64())}))
@example(pa.table({"x": pa.array([*TEXTS, None]), "y": pa.array([None, *TEXTS])}))
@example(pa.table({"plain": ["a", None], "last": pa.array([2**53 + 1, -(2**63)])}))
@example(pa.table({"x": pa.array([[1.0, math.nan, None, -0.0], None, []], pa.list_(pa.float64()))}))
def test_as_an_object_per_value(table: pa.Table) -> None:
    assert written(table) == one_by_one(table)


@given(st.lists(st.one_of(st.none(), floats), min_size=1))
def test_every_number_reads_back_as_itself(values: list[float | None]) -> None:
    read = [orjson.loads(document)["x"] for document in written(pa.table({"x": pa.array(values, pa.float64())}))]

    expected = [value if value is not None and math.isfinite(value) else None for value in values]
    assert [None if value is None else value.hex() for value in read] == [
        None if value is None else value.hex() for value in expected
    ]


def test_the_first_and_the_last_moment() -> None:
    moments = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), None]

    assert written(pa.table({"x": pa.array(moments, STAMP)})) == [
        b'{"x":"0001-01-01T00:00:00.000000Z"}',
        b'{"x":"9999-12-31T23:59:59.999999Z"}',
        b'{"x":null}',
    ]


def test_a_moment_that_no_calendar_has_is_an_error() -> None:
    with pytest.raises(OverflowError):
        json_documents(pa.table({"x": pa.array([2**62], STAMP)}))


def test_times_of_another_zone_and_unit_are_microseconds_in_utc() -> None:
    moment = datetime(2025, 7, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    column = pa.array([moment], STAMP).cast(pa.timestamp("ms", tz="Europe/Zurich"))

    assert written(pa.table({"x": column})) == [b'{"x":"2025-07-01T10:00:00.500000Z"}']


def test_without_columns() -> None:
    table = pa.table({"x": [1, 2]}).select([])

    assert json_documents(table).to_pylist() == ["{}"] * 2


def test_kinds_that_are_none_of_a_feature_are_written_too() -> None:
    nested = pa.table({"x": pa.array([{"a": 1}, None])})

    assert written(nested) == [b'{"x":{"a":1}}', b'{"x":null}']


def test_a_column_by_itself() -> None:
    floats = pa.chunked_array([[0.1, math.nan, math.inf, -math.inf, None]])
    lists = pa.chunked_array([pa.array([[1.0, math.nan, None], None, []], pa.list_(pa.float64()))])
    times = pa.chunked_array([pa.array([datetime(2025, 1, 1, tzinfo=UTC), None], STAMP)])

    assert json_column(floats) == [0.1, None, None, None, None]
    assert json_column(lists) == [[1.0, None, None], None, []]
    assert json_column(times) == ["2025-01-01T00:00:00.000000Z", None]
    assert json_column(pa.chunked_array([pa.nulls(2)])) == [None, None]
    assert json_column(pa.chunked_array([["ü", None]])) == ["ü", None]


def test_an_instant_of_another_zone_is_told_in_utc() -> None:
    from_zurich = datetime.fromisoformat("2025-07-01T12:00:00.5+02:00")
    assert iso_text(from_zurich) == "2025-07-01T10:00:00.500000Z"

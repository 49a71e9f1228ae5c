"""Entity keys: one row at a time, whole columns, and that the two agree."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.entity_key_columns import encode_entity_keys
from catalog.entity_keys import encode_entity_key
from catalog.errors import InvalidInput


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ([15634602], "15634602"),
        ([-1], "-1"),
        ([2**70], "1180591620717411303424"),
        ([np.int64(7)], "7"),
        (["15634602"], "15634602"),
        ([" a b "], " a b "),
        ([42.0], "42"),
        ([-0.0], "0"),
        ([np.float32(3)], "3"),
        ([Decimal("42.00")], "42"),
        ([Decimal("1E+3")], "1000"),
        ([date(2025, 1, 31)], "2025-01-31"),
        ([datetime(2025, 1, 31, 12, 0, 0, 5, tzinfo=UTC).replace(tzinfo=None)], "2025-01-31T12:00:00.000005"),
        ([datetime(2025, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))], "2025-01-31T10:00:00+00:00"),
        (["a|b"], "a|b"),
        (["a\\b"], "a\\b"),
        (["1", "23"], "1|23"),
        (["12", "3"], "12|3"),
        ([1, "x", date(2025, 1, 1)], "1|x|2025-01-01"),
        (["a|", "b"], "a\\||b"),
        (["a", "|b"], "a|\\|b"),
        (["a\\", "b"], "a\\\\|b"),
        (["a\\|b", "c"], "a\\\\\\|b|c"),
        (["k" * 255], "k" * 255),
    ],
)
def test_the_text_of_a_key(parts: list[object], key: str) -> None:
    assert encode_entity_key(parts) == key


def test_a_long_key_is_its_digest() -> None:
    assert encode_entity_key(["é" * 256]) == "sha256:" + hashlib.sha256(("é" * 256).encode()).hexdigest()
    joined = "a" * 200 + "|" + "b" * 200
    assert encode_entity_key(["a" * 200, "b" * 200]) == "sha256:" + hashlib.sha256(joined.encode()).hexdigest()


def test_a_key_that_looks_like_a_digest_is_digested() -> None:
    digest = encode_entity_key(["x" * 300])
    assert encode_entity_key([digest]) == "sha256:" + hashlib.sha256(digest.encode()).hexdigest()


@pytest.mark.parametrize(
    "part",
    [None, True, np.bool_(True), float("nan"), float("inf"), 1.5, Decimal("1.5"), Decimal("NaN"), Decimal("sNaN")]
    + [Decimal("Infinity"), pd.NaT, pd.NA, b"a", [1], {}, object(), "", "a\x00b", "\ud800", 1j],
    ids=lambda part: type(part).__name__ if type(part) is object else repr(part),
)
def test_what_cannot_be_a_part_is_refused(part: object) -> None:
    with pytest.raises(InvalidInput):
        encode_entity_key([part])
    with pytest.raises(InvalidInput):
        encode_entity_key(["a", part])


@pytest.mark.parametrize("parts", [[], (), "abc"])
def test_no_parts_are_refused(parts: list[object]) -> None:
    with pytest.raises(InvalidInput):
        encode_entity_key(parts)


def test_the_refusal_names_the_value() -> None:
    with pytest.raises(InvalidInput, match=r"1\.5 \(float\) cannot be a join key value: give text") as refused:
        encode_entity_key([1.5])
    assert refused.value.details == {"value": "1.5", "type": "float"}


PARTS = st.one_of(
    st.text(st.sampled_from("a1|\\"), min_size=1, max_size=6),
    st.integers(-(2**63), 2**63 - 1),
)


@given(st.lists(st.lists(PARTS.map(str), min_size=2, max_size=2), min_size=2, max_size=2))
def test_different_tuples_have_different_keys(tuples: list[list[str]]) -> None:
    first, second = tuples
    assert (encode_entity_key(first) == encode_entity_key(second)) == (first == second)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None, -5, 2**63 - 1]),
        pa.array([1, None, 2**64 - 1], pa.uint64()),
        pa.array([1, None], pa.int8()),
        pa.array(["a", None, "a|b\\", "sha256:x", "é" * 300, "z" * 255]),
        pa.array(["a", None, "b"], pa.large_string()),
        pa.array(["a", None, "b"], pa.string_view()),
        pa.array(["a", None, "b", "a"]).dictionary_encode(),
        pa.array([1.0, None, 1e18, -0.0]),
        pa.array([Decimal("5.00"), None], pa.decimal128(10, 2)),
        pa.array([date(2025, 1, 1), None]),
        pa.array([datetime(2025, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "Europe/Berlin")),
        pa.array([0, None], pa.timestamp("us")),
        pa.nulls(3),
        pa.array([], pa.string()),
        pa.chunked_array([["a", None], [], ["b"]], pa.string()),
        pa.chunked_array([], pa.int64()),
    ],
    ids=lambda column: str(column.type),
)
def test_columns_agree_with_single_keys(column: pa.Array | pa.ChunkedArray) -> None:
    values = column.to_pylist()
    expected = [None if value is None else encode_entity_key([value]) for value in values]
    composite = [None if value is None else encode_entity_key([value, "x|"]) for value in values]
    keys = encode_entity_keys([column])
    assert isinstance(keys, pa.Array)
    assert keys.type == pa.string()
    assert keys.to_pylist() == expected
    assert encode_entity_keys([column, pa.array(["x|"] * len(values), pa.string())]).to_pylist() == composite


def test_a_null_in_any_part_gives_a_null_key() -> None:
    keys = encode_entity_keys([pa.array([1, None, 3]), pa.array(["a", "b", None])])
    assert keys.to_pylist() == ["1|a", None, None]


def test_a_slice_is_read_from_its_offset() -> None:
    assert encode_entity_keys([pa.array(["", "b", "c"]).slice(1)]).to_pylist() == ["b", "c"]
    encoded = pa.array(["", "b", "c"]).dictionary_encode().slice(1)
    assert encode_entity_keys([encoded]).to_pylist() == ["b", "c"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([True]),
        pa.array([1.5]),
        pa.array([float("nan")]),
        pa.array(["a", ""]),
        pa.array(["a\x00"]),
        pa.array(["a", ""]).dictionary_encode(),
        pa.array([b"a"]),
        pa.array([[1]]),
        pa.array([timedelta(1)]),
        pa.array([Decimal("1.5")]),
    ],
    ids=str,
)
def test_columns_that_cannot_be_keys_are_refused(column: pa.Array) -> None:
    with pytest.raises(InvalidInput):
        encode_entity_keys([column])


def test_no_columns_and_uneven_columns_are_refused() -> None:
    with pytest.raises(InvalidInput):
        encode_entity_keys([])
    with pytest.raises(InvalidInput, match="same length"):
        encode_entity_keys([pa.array([1]), pa.array([1, 2])])


@given(st.lists(st.tuples(st.none() | PARTS.map(str), st.none() | st.integers(-9, 9)), max_size=20))
def test_composite_columns_agree_with_single_keys(rows: list[tuple[str | None, int | None]]) -> None:
    columns = [pa.array([row[0] for row in rows], pa.string()), pa.array([row[1] for row in rows], pa.int64())]
    expected = [None if None in row else encode_entity_key(row) for row in rows]
    assert encode_entity_keys(columns).to_pylist() == expected

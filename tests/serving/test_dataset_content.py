"""The digest of a table's content and its splits: the same whatever the chunks, another for other content."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidInput
from serving.datasets.content_hash import content_hash
from serving.datasets.splitting import SplitRule, split_dataset

NAN = float("nan")


def rich_table() -> pa.Table:
    return pa.table(
        {
            "number": pa.array([1, None, 3], pa.int64()),
            "share": pa.array([0.5, NAN, None]),
            "text": pa.array(["a", "", None]),
            "flag": pa.array([True, None, False]),
            "instant": pa.array([datetime(2025, 1, 1, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
            "day": pa.array([date(2025, 1, 1), None, date(1969, 12, 31)]),
            "vector": pa.array([[1.0, None], [], None]),
            "money": pa.array([Decimal("1.50"), None, Decimal("0")]),
            "kind": pa.array(["x", "y", None]).dictionary_encode(),
            "parts": pa.array([{"a": 1, "b": "u"}, None, {"a": None, "b": "v"}]),
            "nothing": pa.nulls(3),
            "bytes": pa.array([b"\x00", b"", None]),
        }
    )


def test_chunks_and_files_do_not_count(tmp_path: Path) -> None:
    table = rich_table()
    expected = content_hash(table)
    cut = pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1)]).unify_dictionaries()
    assert content_hash(cut) == expected
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    assert content_hash(pq.read_table(tmp_path / "t.parquet")) == expected
    large = table.set_column(2, "text", table.column("text").cast(pa.large_string()))
    assert content_hash(large) == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
        pa.array([{"a": [1]}, None], pa.struct([("a", pa.list_(pa.int64()))])),
        pa.array([{"a": ["x"]}, None], pa.struct([("a", pa.large_list(pa.large_string()))])),
        pa.array([[1], None], pa.list_view(pa.int64())),
        pa.array(["x", None], pa.string_view()),
        pa.array([b"x", None], pa.binary_view()),
        pa.array([[[1, 2]], None], pa.list_(pa.list_(pa.int64(), 2))),
    ],
    ids=lambda column: str(column.type),
)
def test_names_of_list_items_do_not_count(tmp_path: Path, column: pa.Array) -> None:
    table = pa.table({"x": column})
    pq.write_table(table, tmp_path / "t.parquet")
    assert content_hash(pq.read_table(tmp_path / "t.parquet")) == content_hash(table)


def test_names_and_types_within_a_struct_count() -> None:
    def hash_of(name: str, kind: pa.DataType) -> str:
        return content_hash(pa.table({"x": pa.array([{name: 1}], pa.struct([(name, kind)]))}))

    assert len({hash_of("a", pa.int64()), hash_of("b", pa.int64()), hash_of("a", pa.int32())}) == 3


def test_the_formula_as_it_is_documented() -> None:
    table = pa.table({"é": pa.array([7, None], pa.int64()), "t": pa.array(["ab", None])})

    def integer(value: int) -> bytes:
        return value.to_bytes(8, "little", signed=True)

    first = hashlib.sha256(b"int64" + b"\x01\x00" + integer(7) + integer(0)).digest()
    second = hashlib.sha256(b"string" + b"\x01\x00" + integer(2) + integer(0) + b"ab").digest()
    whole = integer(2) + integer(2) + "é".encode() + first + integer(1) + b"t" + second
    assert content_hash(table) == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("name", rich_table().column_names)
def test_order_counts(name: str) -> None:
    table = rich_table()
    assert content_hash(table.take([1, 0, 2])) != content_hash(table)
    assert content_hash(table.rename_columns([f"{one}2" if one == name else one for one in table.column_names])) != (
        content_hash(table)
    )
    if name != "nothing":
        column = table.select([name])
        assert content_hash(column.take([1, 0, 2])) != content_hash(column)


def test_a_moved_border_between_texts_counts() -> None:
    assert content_hash(pa.table({"t": ["ab", "c"]})) != content_hash(pa.table({"t": ["a", "bc"]}))
    assert content_hash(pa.table({"t": [""]})) != content_hash(pa.table({"t": pa.array([None], pa.string())}))
    assert content_hash(pa.table({"n": [0]})) != content_hash(pa.table({"n": pa.array([None], pa.int64())}))
    assert content_hash(pa.table({"v": [[1.0], [2.0]]})) != content_hash(pa.table({"v": [[1.0, 2.0], []]}))
    assert content_hash(pa.table({"n": [1]})) != content_hash(pa.table({"n": [1.0]}))


def test_every_nan_is_one() -> None:
    other = np.array([0xFFF8000000000001], np.uint64).view(np.float64)
    assert content_hash(pa.table({"n": pa.array(other)})) == content_hash(pa.table({"n": [NAN]}))


@given(
    values=st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=12),
    cuts=st.lists(st.integers(0, 12), max_size=3),
)
def test_any_cut_gives_the_same(values: list[str | None], cuts: list[int]) -> None:
    table = pa.table({"t": pa.array(values, pa.string())})
    ends = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    pieces = [table.slice(start, end - start) for start, end in zip(ends, ends[1:], strict=False)]
    assert content_hash(pa.concat_tables([table.slice(0, 0), *pieces])) == content_hash(table)


def keys(count: int) -> pa.Table:
    return pa.table({"id": [number // 3 for number in range(count)]})


def test_splits_are_the_same_every_time_and_keep_an_entity_together() -> None:
    table = keys(9_000)
    parts = split_dataset(table, rule=SplitRule(seed=7), key_columns=["id"])
    assert parts.equals(split_dataset(table, rule=SplitRule(seed=7), key_columns=["id"]))
    by_entity: dict[int, set[str]] = {}
    for key, part in zip(table.column("id").to_pylist(), parts.to_pylist(), strict=True):
        by_entity.setdefault(key, set()).add(part)
    assert {len(found) for found in by_entity.values()} == {1}
    share = parts.to_pylist().count("train") / len(parts)
    assert 0.77 < share < 0.83


def test_an_entity_stays_in_its_part_among_other_rows() -> None:
    table = keys(300)
    parts = split_dataset(table, rule=SplitRule(), key_columns=["id"]).to_pylist()
    turned = table.take(list(range(299, -1, -2)))
    again = split_dataset(turned, rule=SplitRule(), key_columns=["id"]).to_pylist()
    assert again == [parts[row] for row in range(299, -1, -2)]


def test_known_parts() -> None:
    rule = SplitRule(fractions={"train": 0.5, "check": 0.25, "test": 0.25}, seed=1)
    table = pa.table({"id": ["a", "b", "c", "d", None, None]})
    by_entity = split_dataset(table, rule=rule, key_columns=["id"]).to_pylist()
    by_row = split_dataset(table, rule=SplitRule(rule.fractions, 1, "row"), key_columns=["id"]).to_pylist()

    def placed(text: str) -> str:
        place = int.from_bytes(hashlib.sha256(f"1\0{text}".encode()).digest()[:8], "big") / 2**64
        return "train" if place < 0.5 else "check" if place < 0.75 else "test"

    assert by_entity == [*(placed(f"key {key}") for key in "abcd"), placed("row 4"), placed("row 5")]
    assert by_row == [placed(f"row {row}") for row in range(6)]


@pytest.mark.parametrize("fractions", [{}, {"a": 0.5}, {"a": 0.7, "b": 0.7}, {"a": 1.2, "b": -0.2}, {"a": NAN}])
def test_fractions_that_make_no_whole(fractions: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        SplitRule(fractions=fractions)


def test_a_key_column_that_is_not_there() -> None:
    with pytest.raises(InvalidInput, match="customer"):
        split_dataset(keys(3), rule=SplitRule(), key_columns=["customer"])

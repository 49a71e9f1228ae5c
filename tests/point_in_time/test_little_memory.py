"""Joins that have little memory answer the same: by key, in pieces, in smaller slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from catalog.errors import TooLarge
from serving.point_in_time import GroupHistory, History, WantedColumn, answer_in_slices, join_point_in_time, room
from serving.point_in_time.pieces import read_in_pieces

INSTANT = pa.timestamp("us", tz="UTC")
KEYS, EVENTS, ENTITY_ROWS = 40, 12, 1_000
TYPES: dict[str, pa.DataType] = {"x": pa.float64(), "text": pa.string(), "list": pa.list_(pa.float64())}


@pytest.fixture(autouse=True)
def down_to_a_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LEAST_BATCH", 1)
    monkeypatch.setattr(room, "_LEAST_VALUES", 1)


def value_rows(seed: int, keys: int = KEYS) -> pa.Table:
    """Value rows in the order of key and event, with nulls among the values."""
    random = np.random.default_rng(seed)
    rows = keys * EVENTS
    names = sorted(f"k{number}" for number in range(keys))
    numbers = random.integers(0, 1000, rows)
    missing = random.random(rows) < 0.1
    return pa.table(
        {
            "entity_key": np.repeat(names, EVENTS),
            "event_timestamp": pa.array(np.tile(np.arange(EVENTS), keys) * 10).cast(INSTANT),
            "x": pa.array(numbers.astype(np.float64), mask=missing),
            "text": pa.array([None if gone else "t" * (n % 50) for n, gone in zip(numbers, missing, strict=True)]),
            "list": pa.array([[float(n)] * (n % 7) for n in numbers.tolist()], pa.list_(pa.float64())),
        }
    )


def entity_rows(seed: int = 3) -> pa.Table:
    """Known, unknown and null keys under two names, in no order, with times before, among and after the events."""
    random = np.random.default_rng(seed)
    table = {}
    for name in ("payer", "payee"):
        keys = [f"k{number}" for number in random.integers(0, KEYS + 5, ENTITY_ROWS)]
        table[name] = pa.array(keys, mask=random.random(ENTITY_ROWS) < 0.05)
    return pa.table({**table, "at": pa.array(random.integers(-5, EVENTS * 10 + 5, ENTITY_ROWS)).cast(INSTANT)})


def group(history: History, key: str = "payer") -> GroupHistory:
    wanted = tuple(WantedColumn(name, f"{key} {name}", kind) for name, kind in TYPES.items())
    return GroupHistory(name=key, history=history, wanted=wanted, key_column=key)


def stored(folder: Path, table: pa.Table, **options: Any) -> ds.Dataset:
    """The table in two files, of which the second lacks a column."""
    half = table.num_rows // 2
    for number, part in enumerate((table.slice(0, half), table.slice(half).drop_columns("text"))):
        pq.write_table(part, folder / f"{number}.parquet", **options)
    return ds.dataset(folder, schema=table.schema)


@pytest.mark.parametrize("slice_rows", [1, 7, 100, 999])
def test_answers_by_key_are_those_of_one_slice(tmp_path: Path, slice_rows: int) -> None:
    entities = entity_rows()
    groups = [group(value_rows(1), "payer"), group(value_rows(2), "payee")]
    whole = join_point_in_time(entities=entities, time_column="at", groups=groups)

    parts = list(
        answer_in_slices(
            entities=entities,
            time_column="at",
            groups=groups,
            slice_rows=slice_rows,
            memory=10**6,
            spill_folder=str(tmp_path),
        )
    )

    assert pa.concat_tables(parts).combine_chunks().equals(whole.drop_columns(entities.column_names).combine_chunks())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("memory", [20_000, 60_000, 10**7])
def test_values_too_wide_for_the_memory_come_in_more_slices(tmp_path: Path, memory: int) -> None:
    entities = entity_rows()
    history = stored(tmp_path, value_rows(1), row_group_size=100)
    whole = join_point_in_time(entities=entities, time_column="at", groups=[group(history)])

    parts = list(answer_in_slices(entities=entities, time_column="at", groups=[group(history)], memory=memory))

    assert pa.concat_tables(parts).combine_chunks().equals(whole.drop_columns(entities.column_names).combine_chunks())
    assert (len(parts) > 1) == (memory < 10**7)
    assert max(part.nbytes for part in parts) < memory / 4


def test_one_row_that_is_too_wide_is_refused() -> None:
    history = value_rows(1)
    wide = history.set_column(3, "text", pa.array(["t" * 2_000] * history.num_rows))

    with pytest.raises(
        TooLarge, match="the values of one entity row take more than a retrieval has of its 10000 bytes"
    ):
        list(answer_in_slices(entities=entity_rows(), time_column="at", groups=[group(wide)], memory=10_000))


@pytest.mark.parametrize("dictionary", [True, False])
def test_pieces_are_the_rows_of_the_files_in_their_order(tmp_path: Path, dictionary: bool) -> None:
    table = value_rows(1, keys=2_000)
    dataset = stored(tmp_path, table, row_group_size=5_000, use_dictionary=dictionary)

    pieces = list(read_in_pieces(dataset, table.column_names, room=20_000))

    lacking = pa.nulls(table.num_rows // 2, pa.string())
    texts = pa.chunked_array([*table.column("text").slice(0, table.num_rows // 2).chunks, lacking])
    expected = table.set_column(3, "text", texts)
    assert pa.Table.from_batches(pieces).combine_chunks().equals(expected.combine_chunks())
    # How wide texts are that stand in a dictionary is known after the first row group only.
    known = [
        piece for piece, end in zip(pieces, np.cumsum([len(piece) for piece in pieces]), strict=True) if end > 6_000
    ]
    assert max(piece.nbytes for piece in known) <= 20_000


def test_pieces_have_the_values_that_only_a_folder_names(tmp_path: Path) -> None:
    table = pa.table({"entity_key": ["1", "2", "3"], "country": ["FR", "DE", None], "x": [1, 2, 3]})
    form = ds.partitioning(pa.schema([("country", pa.string())]), flavor="hive")
    ds.write_dataset(table, tmp_path, format="parquet", partitioning=form)
    dataset = ds.dataset(tmp_path, partitioning=form)

    pieces = read_in_pieces(dataset, ["country", "entity_key"], room=10)

    read = pa.Table.from_batches(list(pieces)).sort_by("entity_key").to_pydict()
    assert read == {"country": ["FR", "DE", None], "entity_key": ["1", "2", "3"]}

"""Histories in files: what statistics skip, the latest rows, and limits of the engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import deltalake
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import LocalFileSystem

from serving.point_in_time import GroupHistory, TimeRange, WantedColumn, join_point_in_time, latest_rows
from tests.point_in_time.tables import (
    EPOCH,
    MICROSECOND,
    NOON,
    TIMESTAMP,
    entities,
    group,
    history,
    hours,
    value,
)


class TestOverDelta:
    """File statistics in a Delta log are coarse; what is skipped by them must never have been an answer."""

    @pytest.fixture
    def stored(self, tmp_path: Path) -> deltalake.DeltaTable:
        commits = [
            [value("a", EPOCH - timedelta(microseconds=500), 1, created=EPOCH), value("b", NOON, 2)],
            [value("a", NOON + timedelta(microseconds=999), 3, created=hours(1)), value("k" * 200 + "é", NOON, 4)],
            [value("a", hours(2), 5, created=hours(2)), value("b", hours(2), 6)],
        ]
        for rows in commits:
            deltalake.write_deltalake(str(tmp_path / "table"), history(rows), mode="append")
        return deltalake.DeltaTable(str(tmp_path / "table"))

    def test_the_same_as_over_a_table(self, stored: deltalake.DeltaTable) -> None:
        dataset = stored.to_pyarrow_dataset()
        asked = entities(
            [
                ("a", EPOCH - timedelta(microseconds=500)),
                ("a", EPOCH - timedelta(microseconds=501)),
                ("a", NOON + timedelta(microseconds=999)),
                ("k" * 200 + "é", hours(9)),
                ("b", hours(1)),
                ("a", hours(9)),
            ]
        )
        for source in (dataset, dataset.to_table()):
            joined = join_point_in_time(
                entities=asked, time_column="at", groups=[replace(group(history([])), history=source)]
            )
            assert joined.column("balance").to_pylist() == [1, None, 3, 4, 2, 5]

    def test_bounds_between_the_milliseconds(self, stored: deltalake.DeltaTable) -> None:
        dataset = stored.to_pyarrow_dataset()
        for row_time, answer in [(EPOCH - timedelta(microseconds=500), 1), (NOON + timedelta(microseconds=999), 3)]:
            joined = join_point_in_time(
                entities=entities([("a", row_time)]),
                time_column="at",
                groups=[replace(group(history([]), max_age=timedelta(0)), history=dataset)],
                time_range=TimeRange(start=row_time, end=row_time),
            )
            assert joined.column("balance").to_pylist() == [answer]

    def test_values_come_from_the_rows_that_were_chosen_across_many_files(self, tmp_path: Path) -> None:
        path = str(tmp_path / "many")
        for part in range(12):
            rows = [
                value(f"{key}", hours(part), 1000 * part + key, created=hours(part), arrival=part) for key in range(300)
            ]
            deltalake.write_deltalake(path, history(rows), mode="append")
        dataset = deltalake.DeltaTable(path).to_pyarrow_dataset()
        asked = [(str(key), hours(key % 12)) for key in range(300)]
        joined = join_point_in_time(
            entities=entities(asked),
            time_column="at",
            groups=[replace(group(history([])), history=dataset)],
        )
        assert joined.column("balance").to_pylist() == [1000 * (key % 12) + key for key in range(300)]


def test_statistics_cut_to_milliseconds_hide_no_row(tmp_path: Path) -> None:
    moment = NOON + timedelta(microseconds=700)
    pq.write_table(history([value("a", moment, 1, created=moment)]), tmp_path / "part.parquet")
    at_noon = pa.scalar(NOON, TIMESTAMP)
    at_next = pa.scalar(NOON + timedelta(milliseconds=1), TIMESTAMP)
    cut_down = (pc.field("event_timestamp") <= at_noon) & (pc.field("created_timestamp") >= at_noon)
    rounded_up = (pc.field("event_timestamp") >= at_next) & (pc.field("created_timestamp") >= at_next)
    for statistics in (cut_down, rounded_up):
        fragment = ds.ParquetFileFormat().make_fragment(
            str(tmp_path / "part.parquet"), LocalFileSystem(), partition_expression=statistics
        )
        dataset = ds.FileSystemDataset([fragment], history([]).schema, ds.ParquetFileFormat(), LocalFileSystem())
        joined = join_point_in_time(
            entities=entities([("a", moment)]),
            time_column="at",
            groups=[replace(group(history([]), max_age=timedelta(0)), history=dataset)],
            known_at=moment,
        )
        assert joined.column("balance").to_pylist() == [1]


class TestLatestRows:
    def test_the_newest_row_per_key_by_the_same_order(self) -> None:
        rows = [
            value("a", hours(1), 1, created=hours(9)),
            value("a", hours(2), 2, created=hours(3)),
            value("a", hours(2), 3, created=hours(3), arrival=1),
            value("b", hours(1), None, created=hours(1)),
            value(None, hours(1), 8),
            value("c", None, 9),
        ]
        newest = latest_rows(history(rows), as_of=None, columns=["balance_v1", "arrival"])
        assert newest.sort_by("entity_key").to_pylist() == [
            {
                "entity_key": "a",
                "event_timestamp": hours(2),
                "created_timestamp": hours(3),
                "run_id": "run-3",
                "balance_v1": 3,
                "arrival": 1,
            },
            {
                "entity_key": "b",
                "event_timestamp": hours(1),
                "created_timestamp": hours(1),
                "run_id": "run-None",
                "balance_v1": None,
                "arrival": None,
            },
        ]

    def test_as_of_is_included(self) -> None:
        rows = [value("a", hours(1), 1), value("a", hours(2), 2), value("b", hours(2) + MICROSECOND, 3)]
        newest = latest_rows(history(rows), as_of=hours(2), columns=["balance_v1"])
        assert newest.column("balance_v1").to_pylist() == [2]

    def test_an_empty_history_and_an_absent_column(self) -> None:
        newest = latest_rows(history([]), as_of=None, columns=["other_v1"])
        assert newest.num_rows == 0
        names = ["entity_key", "event_timestamp", "created_timestamp", "run_id", "other_v1"]
        assert newest.schema.names == names
        assert latest_rows(history([value("a", NOON, 1)]), as_of=None, columns=["other_v1"]).column(
            "other_v1"
        ).to_pylist() == [None]


def test_entity_rows_are_answered_in_slices_without_a_difference() -> None:
    count = 1_000
    keys = pa.array([str(number % 300) for number in range(count)])
    stored = history([value(str(number % 300), NOON + timedelta(minutes=number), number) for number in range(900)])
    asked = pa.table({"key": keys, "at": pa.array([NOON + timedelta(minutes=n) for n in range(count)], TIMESTAMP)})
    whole = join_point_in_time(entities=asked, time_column="at", groups=[group(stored)])
    sliced = join_point_in_time(entities=asked, time_column="at", groups=[group(stored)], slice_rows=7)
    assert whole.column("balance").null_count < count
    assert sliced.equals(whole)


def test_memory_grows_with_the_answer_and_not_with_the_history(tmp_path: Path) -> None:
    rows = 400_000
    table = pa.table(
        {
            "entity_key": pa.array([str(number // 100) for number in range(rows)]),
            "event_timestamp": pa.array(range(rows), TIMESTAMP),
            **{f"x{number}_v1": pa.array(range(rows)) for number in range(20)},
        }
    )
    pq.write_table(table, tmp_path / "history.parquet", row_group_size=10_000)
    size = table.nbytes
    del table
    stored = ds.dataset(tmp_path / "history.parquet")
    asked = pa.table({"key": ["1", "3999"], "at": pa.array([NOON, NOON], TIMESTAMP)})
    before = pa.default_memory_pool().max_memory()
    pa.default_memory_pool().release_unused()
    wanted = tuple(WantedColumn(f"x{number}_v1", f"x{number}", pa.int64()) for number in range(20))
    groups = [GroupHistory(name="g", history=stored, wanted=wanted, key_column="key")]
    joined = join_point_in_time(entities=asked, time_column="at", groups=groups)
    assert joined.column("x0").to_pylist() == [199, 399_999]
    assert pa.default_memory_pool().max_memory() - before < size / 2

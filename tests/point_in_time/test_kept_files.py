"""Histories whose runs are kept: the same answers, by reading values only."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.point_in_time import GroupHistory, KeptFiles, KeptRuns, TimeRange, WantedColumn, join_point_in_time
from serving.point_in_time import files as files_module
from serving.point_in_time.reading import read_rows
from tests.point_in_time import oracle
from tests.point_in_time.oracle import ValueRow
from tests.point_in_time.tables import NOON, TIMESTAMP, entities, history, hours, value
from tests.point_in_time.test_point_in_time_properties import AGES, KNOWN, RANGES, REQUESTS, histories

ROOM = 10**8
ORDER = [(name, "ascending", "at_start") for name in ("entity_key", "event_timestamp", "created_timestamp", "arrival")]
WANTED = (WantedColumn("balance_v1", "balance", pa.int64()),)


def written(folder: Path, parts: Sequence[pa.Table], *, ordered: bool = True, row_group_size: int = 3) -> KeptFiles:
    """A file for each part, of row groups of a few rows, and nothing kept of them yet."""
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(parts):
        table = part.sort_by(ORDER) if ordered else part
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=row_group_size)
    dataset = ds.dataset(
        [str(folder / f"{number}.parquet") for number in range(len(parts))],
        schema=parts[0].schema,
        format=ds.ParquetFileFormat(dictionary_columns=["entity_key"]),
    )
    return KeptFiles(dataset, place=str(folder), kept=KeptRuns(), room=ROOM)


def answers(stored: KeptFiles, asked: Sequence[tuple[str | None, datetime | None]], **request: Any) -> list[object]:
    max_age = request.pop("max_age", None)
    group = GroupHistory(name="g", history=stored, wanted=WANTED, key_column="key", max_age=max_age)
    joined = join_point_in_time(entities=entities(list(asked)), time_column="at", groups=[group], **request)
    return joined.column("balance").to_pylist()


@settings(max_examples=100, deadline=None)
@given(histories(), REQUESTS, AGES, RANGES, KNOWN, st.data())
def test_any_files_in_order_answer_as_the_oracle(
    rows: list[ValueRow], asked: list[Any], max_age: timedelta | None, within: Any, known_at: Any, data: st.DataObject
) -> None:
    rows = [row for row in rows if row.key is not None and row.event is not None]
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    parts = [history(shuffled[start:end]) for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    expected = [
        oracle.answer(
            rows, key=key, time=time, max_age=max_age, start=within[0], end=within[1], known_at=known_at
        ).value_or(None)
        for key, time in asked
    ]
    with TemporaryDirectory() as folder:
        stored = written(Path(folder), parts)
        assert stored.possible(None) is not None
        for _ in ("made now", "kept"):
            found = answers(stored, asked, max_age=max_age, time_range=TimeRange(*within), known_at=known_at)
            assert found == expected


@pytest.mark.parametrize(
    "rows",
    [
        [value("b", NOON, 1), value("a", NOON, 2), value("b", hours(1), 3)],
        [value("a", hours(1), 1), value("a", NOON, 2), value("b", NOON, 3)],
        [value("a", NOON, 1, created=hours(2)), value("a", NOON, 2, created=hours(1))],
        [value("a", NOON, 1, arrival=2), value("a", NOON, 2, arrival=1)],
        [value(None, NOON, 1), value("a", NOON, 2)],
        [value("a", None, 1), value("a", NOON, 2)],
        [value(None, NOON, 1)],
    ],
    ids=[
        "a key in two runs",
        "events fall",
        "created falls",
        "arrivals fall",
        "a row without a key",
        "without a time",
        "no key",
    ],
)
def test_a_file_that_is_not_in_order_is_read_as_ever(tmp_path: Path, rows: list[ValueRow]) -> None:
    stored = written(tmp_path, [history(rows)], ordered=False)
    expected = [oracle.answer(rows, key=key, time=hours(3)).value_or(None) for key in "ab"]
    assert stored.possible(None) is None
    assert answers(stored, [("a", hours(3)), ("b", hours(3))]) == expected
    assert stored.kept.bytes > 0  # that it has none is kept, so that it is not looked for again


class TestRunsAcrossBatches:
    """Batches of a file end after 65,536 rows, in the middle of a run."""

    @staticmethod
    def table(count: int, *, key_rows: int, falls_at: int | None = None) -> pa.Table:
        events = np.arange(count) % key_rows
        if falls_at is not None:
            events[falls_at:] -= 2
        return pa.table(
            {
                "entity_key": [f"{number // key_rows:06}" for number in range(count)],
                "event_timestamp": pa.array(events).cast(TIMESTAMP),
                "balance_v1": pa.array(range(count)),
            }
        )

    def test_they_are_one(self, tmp_path: Path) -> None:
        stored = written(tmp_path, [self.table(150_000, key_rows=1_000)], row_group_size=40_000, ordered=False)
        random = np.random.default_rng(5)
        keys, times = random.integers(0, 160, 5_000), random.integers(-10, 1_200, 5_000)
        asked = pa.table(
            {"key": [f"{key:06}" for key in keys], "at": pa.array(times).cast(TIMESTAMP)},
        )
        group = GroupHistory(name="g", history=stored, wanted=WANTED, key_column="key")
        expected = [
            int(key * 1_000 + min(time, 999)) if key < 150 and time >= 0 else None
            for key, time in zip(keys, times, strict=True)
        ]
        found = stored.possible(None)
        assert found is not None
        assert [(len(runs.keys), runs.rows) for _, runs in found] == [(150, 150_000)]
        joined = join_point_in_time(entities=asked, time_column="at", groups=[group])
        assert joined.column("balance").to_pylist() == expected

    def test_order_is_looked_at_between_them(self, tmp_path: Path) -> None:
        rising = written(
            tmp_path / "rising", [self.table(70_000, key_rows=70_000)], row_group_size=65_536, ordered=False
        )
        falling = self.table(70_000, key_rows=70_000, falls_at=65_536)
        assert rising.possible(None) is not None
        assert written(tmp_path / "falling", [falling], row_group_size=65_536, ordered=False).possible(None) is None


class TestTies:
    @pytest.fixture
    def columns(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Those that were read."""
        read: list[str] = []

        def noting(fragment: Any, schema: Any, columns: Sequence[str], rows: Any, *, threads: bool) -> pa.Table:
            read.extend(columns)
            return read_rows(fragment, schema, columns, rows, threads=threads)

        monkeypatch.setattr(files_module, "read_rows", noting)
        return read

    def test_what_decides_them_is_read_where_there_are_any(self, tmp_path: Path, columns: list[str]) -> None:
        commits = [
            [value("a", NOON, 1, created=hours(1)), value("b", NOON, 2, created=hours(1), arrival=9)],
            [value("a", NOON, 3, created=hours(3)), value("b", NOON, 4, created=hours(1), arrival=7)],
            [value("a", NOON, 5, created=hours(2)), value("b", NOON, 6, created=hours(1), arrival=8)],
        ]
        stored = written(tmp_path, [history(rows) for rows in commits])
        assert answers(stored, [("a", hours(4)), ("b", hours(4))]) == [3, 2]
        assert {"created_timestamp", "arrival"} < set(columns)

    def test_values_only_are_read_where_there_are_none(self, tmp_path: Path, columns: list[str]) -> None:
        commits = [[value("a", NOON, 1), value("a", hours(1), 2)], [value("a", hours(2), 3), value("b", NOON, 4)]]
        stored = written(tmp_path, [history(rows) for rows in commits])
        assert answers(stored, [("a", hours(1)), ("a", hours(2)), ("b", NOON)]) == [2, 3, 4]
        assert set(columns) == {"balance_v1"}


class TestRoom:
    def history(self, tmp_path: Path, name: str) -> KeptFiles:
        return written(tmp_path / name, [history([value(f"{name}{n}", NOON, n) for n in range(500)])])

    def test_those_used_longest_ago_go(self, tmp_path: Path) -> None:
        kept, made = KeptRuns(), self.history(tmp_path, "a").possible(None)
        assert made is not None
        runs = made[0][1]
        room = 2 * (runs.bytes + 1_024)
        for name in ("a", "b", "a", "c"):
            kept.get(name, lambda: runs, room=room)
            assert kept.bytes <= room

        def again() -> Any:
            raise LookupError

        for name in ("a", "c"):
            found = kept.get(name, again, room=room)
            assert found is not None
            assert found.event is runs.event
        with pytest.raises(LookupError):
            kept.get("b", again, room=room)

    def test_a_history_that_does_not_fit_is_read_as_ever(self, tmp_path: Path) -> None:
        stored = replace(self.history(tmp_path, "a"), room=3_999)
        assert stored.possible(None) is None
        assert answers(stored, [("a7", NOON), ("b7", NOON)]) == [7, None]
        assert stored.kept.bytes == 0

    def test_files_with_the_same_keys_share_them(self, tmp_path: Path) -> None:
        keys = [str(number) for number in range(100)]
        commits = [history([value(key, hours(number), number) for key in keys]) for number in range(2)]
        found = written(tmp_path, commits).possible(None)
        assert found is not None
        assert found[0][1].keys is found[1][1].keys


def test_threads_share_what_is_kept(tmp_path: Path) -> None:
    keys = [str(number) for number in range(2_000)]
    commits = [history([value(key, hours(number), 10 * int(key) + number) for key in keys]) for number in range(3)]
    stored = written(tmp_path, commits, row_group_size=500)
    asked = [(key, hours(int(key) % 3)) for key in keys]
    expected = [10 * int(key) + int(key) % 3 for key in keys]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: answers(stored, asked), range(24))) == [expected] * 24


def test_a_file_that_is_gone_is_an_error_and_no_answer(tmp_path: Path) -> None:
    stored = written(tmp_path, [history([value("a", NOON, 1)])])
    assert answers(stored, [("a", NOON)]) == [1]
    (tmp_path / "0.parquet").unlink()
    with pytest.raises(FileNotFoundError):
        answers(stored, [("a", NOON)])


class TestReadingRows:
    def test_row_groups_without_any_of_them_are_not_read(self, tmp_path: Path) -> None:
        stored = written(tmp_path, [history([value("a", hours(n), n) for n in range(1_000)])], row_group_size=10)
        (fragment,) = stored.dataset.get_fragments()
        wanted = [0, 9, 10, 555, 556, 989, 990, 999]
        rows = read_rows(fragment, stored.schema, ["balance_v1"], np.array(wanted), threads=False)
        assert rows.column("balance_v1").to_pylist() == wanted

    def test_columns_come_as_the_table_has_them(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"x": pa.array([1, None, 3], pa.int32())}), tmp_path / "f.parquet")
        schema = pa.schema([("x", pa.int64()), ("y", pa.list_(pa.float64()))])
        dataset = ds.dataset(tmp_path / "f.parquet", schema=schema)
        (fragment,) = dataset.get_fragments()
        rows = read_rows(fragment, schema, ["y", "x"], np.array([1, 2]), threads=True)
        assert rows.schema == pa.schema([schema.field("y"), schema.field("x")])
        assert rows.to_pylist() == [{"y": None, "x": None}, {"y": None, "x": 3}]
        assert read_rows(fragment, schema, ["y"], np.array([2]), threads=True).to_pylist() == [{"y": None}]

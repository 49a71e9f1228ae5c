"""The join over the real tables: however they were written and are read, the answers are those of the rules."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.entity_keys import encode_entity_key
from catalog.models import FeatureGroup
from serving.point_in_time import GroupHistory, KeptFiles, KeptRuns, KnownAt, WantedColumn, join_point_in_time
from serving.point_in_time import History as RowHistory
from serving.stores.compaction import compact_history
from serving.stores.keyed_rows import KeyedRows
from serving.stores.offline import append_history, history_location, open_history
from tests.point_in_time import oracle
from tests.point_in_time.oracle import ValueRow
from tests.point_in_time.tables import MICROSECOND, NOON, entities, history, hours, value
from tests.point_in_time.test_point_in_time_properties import KNOWN, REQUESTS, histories

_numbers = itertools.count()
NOTHING = (None, NOON)
KEPT = KeptRuns()
# Reading the files whole, the pages of few keys, or values only once the files' runs are kept.
WAYS = ("whole files", "few keys", "kept files")


def new_group() -> FeatureGroup:
    """A group that no other has the history of."""
    return FeatureGroup(name=f"stored_{next(_numbers)}")


def commit(group: FeatureGroup, rows: list[ValueRow], *, epoch: int) -> None:
    append_history(group=group, rows=history(rows), run_id=f"run-{epoch}", epoch=epoch)


def compact(group: FeatureGroup, *, epoch: int, folder: Path) -> None:
    done = compact_history(group, epoch=epoch, pinned_versions=(), memory_limit="256MB", spill_folder=folder)
    assert done is not None


def answers(
    group: FeatureGroup, asked: Sequence[tuple[str | None, datetime]], *, way: str, known_at: KnownAt = None
) -> list[Any]:
    """The answers by one of the :data:`WAYS` to read a history."""
    stored = open_history(group)
    assert stored is not None
    keys = sorted({key for key, _ in asked if key is not None})
    wanted = (WantedColumn("balance_v1", "balance", pa.int64()),)
    rows: RowHistory = stored.dataset
    if way == "few keys":
        rows = KeyedRows(stored.table, keys)
    elif way != "whole files":
        place = f"{stored.table.table_uri} {way}"
        rows = KeptFiles(stored.keyed_dataset, place=place, kept=KEPT, room=10**8)
    joined = join_point_in_time(
        entities=entities(list(asked)),
        time_column="at",
        groups=[GroupHistory(name="g", history=rows, wanted=wanted, key_column="key")],
        known_at=known_at,
    )
    return joined.column("balance").to_pylist()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), REQUESTS, KNOWN, st.data())
def test_any_commits_and_compaction_give_the_answers_of_the_rules(
    tmp_path: Path, rows: list[ValueRow], asked: list[Any], known_at: KnownAt, data: st.DataObject
) -> None:
    expected = [oracle.answer(rows, key=key, time=time, known_at=known_at).value_or(None) for key, time in asked]
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    group = new_group()
    for epoch, (start, end) in enumerate(itertools.pairwise([0, *cuts, len(rows)]), start=1):
        commit(group, shuffled[start:end], epoch=epoch)
    for compacted in (False, True):
        if compacted:
            compact(group, epoch=9, folder=tmp_path / "spill")
        for way in (*WAYS, "kept files"):
            assert answers(group, asked, way=way, known_at=known_at) == expected


@pytest.mark.parametrize("way", WAYS)
class TestKeysInFiles:
    def test_separators_quotes_unicode_and_a_thousand_characters(self, way: str) -> None:
        parts: list[list[str]] = [
            ["1", "23"],
            ["12", "3"],
            ["1|2", "3"],
            ["it's"],
            ['say "x"'],
            ["'; DROP TABLE history; --"],
            ["a\\b", "c"],
            ["a", "\\b|c"],
            ["ключ/é"],
            ["é"],
            ["客户 🙂\n\t"],
            ["%_*"],
            [" 1 "],
            ["k" * 1_000],
            ["k" * 1_001],
        ]
        keys = [encode_entity_key(each) for each in parts]
        assert len(set(keys)) == len(parts)
        group = new_group()
        commit(group, [value(key, NOON, 2**53 + 1 + number) for number, key in enumerate(keys)], epoch=1)
        asked = [(key, NOON) for key in reversed(keys)] + [("e\u0301", NOON), ("K", NOON)]
        expected = [2**53 + 1 + number for number in reversed(range(len(keys)))]
        assert answers(group, asked, way=way) == [*expected, None, None]

    def test_ties_are_decided_across_commits_as_within_one(self, way: str) -> None:
        """Later created, then later arrival, whichever commit came first, and unknown ones before all others."""
        by_arrival = [value("a", NOON, number, created=NOON, arrival=number) for number in (1, 2)]
        by_created = [value("b", NOON, number, created=hours(number), arrival=9 - number) for number in (1, 2)]
        unknown = [value("c", NOON, 1, arrival=9), value("c", NOON, 2, created=hours(-1), arrival=1)]
        unnumbered = [value("d", NOON, 1, created=NOON), value("d", NOON, 2, created=NOON, arrival=0)]
        pairs = list(zip(by_arrival, by_created, unknown, unnumbered, strict=True))
        for order in (pairs, pairs[::-1]):
            group = new_group()
            for epoch, rows in enumerate(order, start=1):
                commit(group, list(rows), epoch=epoch)
            assert answers(group, [(key, hours(1)) for key in "abcd"], way=way) == [2, 2, 2, 2]

    def test_a_revision_and_then_the_deletion_of_a_row(self, way: str) -> None:
        group = new_group()
        commit(group, [value("a", hours(0), 1, created=hours(0)), value("b", hours(0), 5)], epoch=1)
        commit(group, [value("a", hours(1), 2, created=hours(1))], epoch=2)
        commit(group, [value("a", hours(1), 20, created=hours(5))], epoch=3)
        asked = [("a", hours(9)), ("a", hours(0)), ("b", hours(9))]
        assert answers(group, asked, way=way) == [20, 1, 5]
        assert answers(group, asked, way=way, known_at=hours(4)) == [2, 1, None]
        DeltaTable(history_location(group)).delete("entity_key = 'a' AND balance_v1 >= 2")
        assert answers(group, asked, way=way) == [1, 1, 5]
        commit(group, [value("a", hours(2), None, created=hours(6))], epoch=4)
        assert answers(group, asked, way=way) == [None, 1, 5]

    def test_files_that_others_wrote_with_fewer_columns(self, way: str) -> None:
        group = new_group()
        commit(group, [value("a", NOON, 1, created=NOON, arrival=7)], epoch=1)
        plain = history([value("a", NOON, 2), value("b", NOON, 3)]).drop_columns(
            ["created_timestamp", "arrival", "run_id"]
        )
        write_deltalake(history_location(group), plain, mode="append", schema_mode="merge")
        assert answers(group, [("a", NOON), ("b", NOON), ("c", NOON)], way=way) == [1, 3, None]
        assert answers(group, [("a", NOON), ("b", NOON)], way=way, known_at=NOON) == [1, None]

    def test_the_ends_of_time(self, way: str) -> None:
        moments = [
            datetime(1901, 1, 1, tzinfo=UTC),
            datetime(1970, 1, 1, tzinfo=UTC) - MICROSECOND,
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(2262, 4, 11, 23, 47, 16, 854775, tzinfo=UTC),
            datetime(2262, 4, 11, 23, 47, 16, 854776, tzinfo=UTC),
        ]
        group = new_group()
        commit(group, [value("a", moment, number) for number, moment in enumerate(moments)], epoch=1)
        asked: list[tuple[str | None, datetime]] = [("a", moment) for moment in moments]
        asked.append(("a", moments[0] - timedelta(days=1)))
        assert answers(group, asked, way=way) == [0, 1, 2, 3, 4, None]


def test_nobody_is_asked_for(tmp_path: Path) -> None:
    group = new_group()
    commit(group, [value("a", NOON, 1)], epoch=1)
    assert answers(group, [NOTHING], way="few keys") == [None]
    assert answers(group, [], way="few keys") == []


def test_few_keys_read_little_of_a_large_table() -> None:
    counter = Path("/proc/self/io")
    if not counter.is_file():
        pytest.skip("needs a system that counts what a process reads")
    rows, features = 400_000, 20
    stamps = pa.array(range(rows), pa.int64())
    random = np.random.default_rng(3)
    table = pa.table(
        {
            "entity_key": pa.array([str(number // 10) for number in range(rows)]),
            "event_timestamp": stamps.cast(pa.timestamp("us", tz="UTC")),
            "created_timestamp": stamps.cast(pa.timestamp("us", tz="UTC")),
            "run_id": pa.repeat("run", rows),
            "arrival": stamps,
            **{f"x{number}_v1": pa.array(random.normal(size=rows)) for number in range(features)},
        }
    )
    group = new_group()
    append_history(group=group, rows=table, run_id="run", epoch=1)
    size = sum(file.stat().st_size for file in Path(history_location(group)).glob("*.parquet"))
    wanted = tuple(WantedColumn(f"x{number}_v1", f"x{number}", pa.float64()) for number in range(features))

    def bytes_read() -> int:
        return int(counter.read_text().split("rchar: ")[1].split()[0])

    before = bytes_read()
    stored = open_history(group)
    assert stored is not None
    joined = join_point_in_time(
        entities=entities([("7", NOON), ("20000", NOON), ("39999", NOON)]),
        time_column="at",
        groups=[GroupHistory("g", KeyedRows(stored.table, ["7", "20000", "39999"]), wanted, "key")],
    )
    read = bytes_read() - before
    assert joined.column("x3").to_pylist() == table.column("x3_v1").take(pa.array([79, 200_009, 399_999])).to_pylist()
    assert read < size / 8, f"{read} of {size} bytes"


def test_a_commit_is_seen_at_once() -> None:
    assert django_settings.FEATURESTORE.offline_path
    group = new_group()
    for number in range(1, 4):
        commit(group, [value("a", hours(number), number)], epoch=number)
        assert answers(group, [("a", hours(9))], way="few keys") == [number]

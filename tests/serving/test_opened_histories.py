"""Histories that stay opened: always of the newest version, and kept only where the configuration says so."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from catalog.models import FeatureGroup
from serving.point_in_time import GroupHistory, KeptFiles, WantedColumn, join_point_in_time
from serving.stores.offline import History, history_location
from serving.stores.opened import read_history, rows_of
from tests.point_in_time.tables import NOON, entities, history, hours, value
from tests.serving.test_histories_as_stored import commit, compact, new_group


def opened(group: FeatureGroup, *, version: int | None = None) -> History:
    found = read_history(group, version=version)
    assert found is not None
    return found


def answers(stored: History, asked: Sequence[tuple[str | None, datetime | None]]) -> list[object]:
    wanted = (WantedColumn("balance_v1", "balance", pa.int64()),)
    groups = [GroupHistory(name="g", history=rows_of(stored), wanted=wanted, key_column="key")]
    joined = join_point_in_time(entities=entities(asked), time_column="at", groups=groups)
    return joined.column("balance").to_pylist()


def configured(settings: Any, section: str, **values: object) -> None:
    changed = getattr(settings.FEATURESTORE, section).model_copy(update=values)
    settings.FEATURESTORE = dataclasses.replace(settings.FEATURESTORE, **{section: changed})


@pytest.fixture
def group() -> FeatureGroup:
    group = new_group()
    commit(group, [value("a", NOON, 1), value("b", NOON, 2)], epoch=1)
    return group


ASKED = [("a", hours(9)), ("b", hours(9))]


def test_there_is_none_before_the_first_append() -> None:
    assert read_history(new_group()) is None


def test_it_is_the_same_until_something_is_committed(group: FeatureGroup) -> None:
    first = opened(group)
    assert opened(group) is first
    assert answers(first, ASKED) == [1, 2]
    commit(group, [value("b", hours(1), 3)], epoch=2)
    second = opened(group)
    assert (first.version, second.version) == (1, 2)
    assert answers(second, ASKED) == [1, 3]
    assert answers(first, ASKED) == [1, 2]


def test_what_others_append_is_seen(group: FeatureGroup) -> None:
    assert answers(opened(group), ASKED) == [1, 2]
    write_deltalake(history_location(group), history([value("a", hours(1), 7)]), mode="append")
    assert answers(opened(group), ASKED) == [7, 2]


def test_compaction_and_deletion_of_the_old_files_between_two_reads(group: FeatureGroup, tmp_path: Path) -> None:
    commit(group, [value("b", hours(1), 3)], epoch=2)
    assert answers(opened(group), ASKED) == [1, 3]
    compact(group, epoch=3, folder=tmp_path / "spill")
    DeltaTable(history_location(group)).vacuum(0, dry_run=False, enforce_retention_duration=False)
    newest = opened(group)
    assert len(newest.files) == 1
    assert answers(newest, ASKED) == [1, 3]


def test_a_table_that_was_made_anew_is_opened_anew(group: FeatureGroup) -> None:
    assert answers(opened(group), ASKED) == [1, 2]
    shutil.rmtree(history_location(group))
    assert read_history(group) is None
    commit(group, [value("a", NOON, 8)], epoch=1)
    assert opened(group).version == 1
    assert answers(opened(group), ASKED) == [8, None]


def test_a_pinned_version_is_opened_for_itself(group: FeatureGroup) -> None:
    commit(group, [value("b", hours(1), 3)], epoch=2)
    newest = opened(group)
    assert answers(opened(group, version=1), ASKED) == [1, 2]
    assert opened(group) is newest


@pytest.mark.parametrize(
    ("section", "values"),
    [("feature_store", {"cache_enabled": False}), ("performance", {"query_caching": False})],
    ids=["feature_store.cache_enabled", "performance.query_caching"],
)
def test_nothing_is_kept_where_caching_is_off(
    group: FeatureGroup, settings: Any, section: str, values: dict[str, object]
) -> None:
    configured(settings, section, **values)
    first = opened(group)
    assert opened(group) is not first
    assert not isinstance(rows_of(first), KeptFiles)
    assert answers(first, ASKED) == [1, 2]


def test_the_configuration_bounds_what_is_kept(group: FeatureGroup, settings: Any) -> None:
    configured(settings, "serving", max_cache_size=1)
    configured(settings, "performance", history_index_memory="15B")
    other = new_group()
    commit(other, [value("a", NOON, 1)], epoch=1)
    first = opened(group)
    assert opened(other) is opened(other)
    assert opened(group) is not first
    rows = rows_of(first)
    assert isinstance(rows, KeptFiles)
    assert rows.possible(None) is None  # two rows need 16 bytes
    assert answers(first, ASKED) == [1, 2]


def test_a_partitioned_table_that_others_made_is_read_without(tmp_path: Path) -> None:
    group = new_group()
    rows = history([value("a", NOON, 1), value("b", NOON, 2)]).append_column("region", pa.array(["x", "y"]))
    write_deltalake(history_location(group), rows, partition_by=["region"])
    stored = opened(group)
    assert not isinstance(rows_of(stored), KeptFiles)
    assert answers(stored, ASKED) == [1, 2]

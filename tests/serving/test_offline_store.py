"""The offline store: append-only, one commit per run, open to other writers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from catalog.errors import Conflict
from catalog.models import FeatureGroup
from serving.stores import offline
from serving.stores.offline import (
    KEY_COLUMNS,
    LeaseLost,
    append_history,
    epoch_of,
    history_location,
    newest_created,
    open_history,
    run_is_in_history,
)
from tests.stocked_store import DAY, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> FeatureGroup:
    return make_group("finance")


def table(keys: Sequence[str], *, epoch: int = 1, created: datetime | None = DAY, **columns: Any) -> pa.Table:
    arrays: dict[str, Any] = {
        "entity_key": pa.array(keys, pa.string()),
        "event_timestamp": pa.array([DAY] * len(keys), KEY_COLUMNS.field("event_timestamp").type),
        "created_timestamp": pa.array([created] * len(keys), KEY_COLUMNS.field("created_timestamp").type),
        "run_id": pa.array([f"run-{epoch}"] * len(keys), pa.string()),
        "arrival": pa.array([(epoch << 32) + row for row in range(len(keys))], pa.int64()),
    }
    return pa.table(arrays | columns)


def append(group: FeatureGroup, keys: Sequence[str], *, epoch: int = 1, **columns: Any) -> int:
    rows = table(keys, epoch=epoch, **columns)
    return append_history(group=group, rows=rows, run_id=f"run-{epoch}", epoch=epoch)


def column(group: FeatureGroup, name: str, *, version: int | None = None) -> dict[str, Any]:
    history = open_history(group, version=version)
    assert history is not None
    rows = history.dataset.to_table(columns=["entity_key", name])
    return dict(zip(rows["entity_key"].to_pylist(), rows[name].to_pylist(), strict=True))


def test_there_is_none_before_the_first_append(group: FeatureGroup) -> None:
    assert open_history(group) is None
    assert open_history(group, version=3) is None
    assert epoch_of(None) == 0
    assert not run_is_in_history(None, "run-1")


def test_values_come_back_exactly(group: FeatureGroup) -> None:
    keys = ["15634602", "ä|b", "客户 🙂", "", "a\\|b", "x" * 255]
    exact = {
        "i_v1": pa.array([2**53 + 1, -(2**63), 2**63 - 1, 0, None, 1], pa.int64()),
        "f_v1": pa.array([0.1, float("nan"), float("inf"), -0.0, None, 5e-324], pa.float64()),
        "s_v1": pa.array(["Zürich", "", "nan", "\n", None, "🙂" * 1000], pa.string()),
        "b_v1": pa.array([True, False, None, True, None, False], pa.bool_()),
        "t_v1": pa.array([datetime(2025, 1, 1, 0, 0, 0, 1, tzinfo=UTC), None, None, None, None, None],
                         pa.timestamp("us", tz="UTC")),
        "l_v1": pa.array([[0.1, None], [], None, None, None, [1.0]], pa.list_(pa.float64())),
    }  # fmt: skip

    assert append(group, keys, **exact) == 1

    history = open_history(group)
    assert history is not None
    stored = history.dataset.to_table().sort_by("arrival")
    assert stored["entity_key"].to_pylist() == keys
    for name, values in exact.items():
        assert repr(stored[name].to_pylist()) == repr(values.to_pylist())
    assert (history.version, history.rows) == (1, 6)
    assert history.bytes == sum(file.stat().st_size for file in Path(history_location(group)).glob("*.parquet"))


def test_a_run_appends_once(group: FeatureGroup) -> None:
    assert append(group, ["a"], epoch=3) == 1
    assert append_history(group=group, rows=table(["a"], epoch=9), run_id="run-3", epoch=9) == 1

    history = open_history(group)
    assert history is not None
    assert (history.rows, epoch_of(history)) == (1, 3)
    assert run_is_in_history(history, "run-3")
    assert not run_is_in_history(history, "run-4")


def test_a_new_feature_adds_a_column(group: FeatureGroup) -> None:
    append(group, ["a"], epoch=1, x_v1=pa.array([1.0]))
    append(group, ["b"], epoch=2, x_v1=pa.array([2.0]), y_v1=pa.array([2**60], pa.int64()))
    append(group, ["c"], epoch=3, y_v1=pa.array([5], pa.int64()))

    assert column(group, "x_v1") == {"a": 1.0, "b": 2.0, "c": None}
    assert column(group, "y_v1") == {"a": None, "b": 2**60, "c": 5}


def test_an_earlier_lease_cannot_write(group: FeatureGroup) -> None:
    append(group, ["a"], epoch=5)

    for epoch in (4, 5):
        with pytest.raises(LeaseLost, match="another run of finance has written"):
            append_history(group=group, rows=table(["b"], epoch=epoch), run_id="late", epoch=epoch)

    assert set(column(group, "arrival")) == {"a"}


def test_a_write_since_the_rows_were_chosen_is_noticed(group: FeatureGroup) -> None:
    append(group, ["a"], epoch=5)
    rows = table(["b"], epoch=7)

    with pytest.raises(LeaseLost):
        append_history(group=group, rows=rows, run_id="taker", epoch=7, seen_epoch=4)
    assert append_history(group=group, rows=rows, run_id="taker", epoch=7, seen_epoch=5) == 2


def test_of_two_writers_in_the_same_moment_one_commits(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    append(group, ["a"], epoch=1)
    stale = DeltaTable(history_location(group))
    append(group, ["b"], epoch=2)
    monkeypatch.setattr(offline, "_open_or_create", lambda *_: stale)

    with pytest.raises(LeaseLost, match="at the same time"):
        append(group, ["c"], epoch=3)

    monkeypatch.undo()


def test_others_may_append_at_the_same_time(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as Spark: plain rows, without arrival and run."""
    append(group, ["a"], epoch=1, x_v1=pa.array([1.0]))
    stale = DeltaTable(history_location(group))
    foreign = table(["spark"], x_v1=pa.array([9.0])).drop_columns(["arrival", "run_id", "created_timestamp"])
    write_deltalake(history_location(group), foreign, mode="append", schema_mode="merge")
    with monkeypatch.context() as patches:
        patches.setattr(offline, "_open_or_create", lambda *_: stale)
        append(group, ["b"], epoch=2, x_v1=pa.array([2.0]))

    assert column(group, "x_v1") == {"a": 1.0, "b": 2.0, "spark": 9.0}
    assert column(group, "arrival")["spark"] is None


class TestVersions:
    def test_an_earlier_version_stays_as_it_was(self, group: FeatureGroup) -> None:
        append(group, ["a"], epoch=1)
        append(group, ["b"], epoch=2)

        assert set(column(group, "arrival", version=1)) == {"a"}
        assert set(column(group, "arrival", version=2)) == {"a", "b"}
        with pytest.raises(Conflict, match="no version 3 any more, or not yet") as caught:
            open_history(group, version=3)
        assert caught.value.details == {"group": "finance", "table_version": 3}

    def test_compaction_changes_no_answer(self, group: FeatureGroup) -> None:
        for epoch in range(1, 6):
            append(group, [f"k{epoch}"], epoch=epoch, x_v1=pa.array([float(epoch)]))
        before = column(group, "x_v1")

        DeltaTable(history_location(group)).optimize.compact()

        history = open_history(group)
        assert history is not None
        assert (len(history.files), history.rows, history.version) == (1, 5, 6)
        assert column(group, "x_v1") == before
        assert column(group, "x_v1", version=3) == {"k1": 1.0, "k2": 2.0, "k3": 3.0}
        assert run_is_in_history(history, "run-2")
        assert epoch_of(history) == 5

    def test_transactions_outlive_a_checkpoint_and_clean_up(self, group: FeatureGroup) -> None:
        for epoch in range(1, 4):
            append(group, [f"k{epoch}"], epoch=epoch)
        delta = DeltaTable(history_location(group))
        delta.create_checkpoint()
        delta.cleanup_metadata()

        assert append(group, ["again"], epoch=2) == 3
        assert epoch_of(open_history(group)) == 3


class TestNewestCreated:
    def test_is_never_less_than_what_is_stored(self, group: FeatureGroup) -> None:
        newest = datetime(2025, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
        append(group, ["a"], epoch=1, created=datetime(2024, 1, 1, tzinfo=UTC))
        append(group, ["b"], epoch=2, created=newest)
        append(group, ["c"], epoch=3, created=datetime(2023, 1, 1, tzinfo=UTC))
        history = open_history(group)
        assert history is not None
        found = newest_created(history)
        assert found is not None
        assert newest <= found <= newest.replace(microsecond=123_999)

    def test_is_none_where_none_is_known(self, group: FeatureGroup) -> None:
        append(group, ["a"], created=None)
        history = open_history(group)
        assert history is not None
        assert newest_created(history) is None

    def test_counts_files_without_statistics_too(self, group: FeatureGroup) -> None:
        append(group, ["a"], epoch=1, created=None)
        append(group, ["b"], epoch=2, created=DAY)
        history = open_history(group)
        assert history is not None
        assert newest_created(history) == DAY


def test_only_names_the_rows_of_some_files(group: FeatureGroup) -> None:
    append(group, ["a"], epoch=1)
    before = open_history(group)
    append(group, ["b"], epoch=2, x_v1=pa.array([1.0]))
    history = open_history(group)
    assert before is not None
    assert history is not None

    first = history.only([before.files[0].path]).to_table()

    assert first["entity_key"].to_pylist() == ["a"]
    assert first["x_v1"].to_pylist() == [None]
    assert history.only([]).to_table().num_rows == 0


def test_every_version_stays_until_somebody_deletes_it(group: FeatureGroup) -> None:
    append(group, ["a"])
    history = open_history(group)
    assert history is not None
    assert history.table.metadata().configuration["delta.enableExpiredLogCleanup"] == "false"

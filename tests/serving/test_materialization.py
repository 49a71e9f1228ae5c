"""Carrying history into the online store: what is new, what others appended, what has come due."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from django.conf import settings
from django.core.management import CommandError, call_command

from catalog import clock
from catalog.errors import Conflict
from catalog.models import AuditEvent, FeatureGroup, FeatureVersion, Status
from ingestion import leases, rebuilding
from ingestion.models import GroupLease
from ingestion.rebuilding import groups_with_due_events, rebuild_online
from ingestion.tasks import materialize_due
from serving import materialization
from serving.materialization import materialize_group
from serving.models import FeatureValue, MaterializedTable
from serving.stores.offline import history_location
from serving.stores.online import DatabaseOnlineStore
from tests.stocked_store import DAY, make_feature, make_group, put_history

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> FeatureGroup:
    group = make_group("finance")
    make_feature(group, "x")
    return group


def put(group: FeatureGroup, key: str, value: float | None, *, event: datetime = DAY, **more: Any) -> None:
    put_history(group, [{"key": key, "event": event, "x_v1": value, **more}])


def online(group: FeatureGroup) -> dict[str, Any]:
    return {row.entity_key: row.values.get("x_v1") for row in FeatureValue.objects.filter(group=group)}


def written(group: FeatureGroup, *, rebuild: bool = False) -> int:
    done = materialize_group(group, rebuild=rebuild)
    assert done is not None
    return done.rows_written


def test_a_group_without_history(group: FeatureGroup) -> None:
    assert materialize_group(group) is None
    assert rebuild_online(group) is None
    assert not MaterializedTable.objects.exists()


def test_only_what_is_new_is_read_and_written(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    put(group, "a", 1.0)
    put(group, "b", 2.0)
    assert written(group) == 2
    put(group, "c", 3.0)
    read: list[int] = []
    find_latest = materialization.find_latest

    def counting(history: Any, **named: Any) -> Any:
        read.append(history.count_rows())
        return find_latest(history, **named)

    monkeypatch.setattr(materialization, "find_latest", counting)

    assert written(group) == 1
    assert written(group) == 0

    assert read == [1, 0]
    assert online(group) == {"a": 1.0, "b": 2.0, "c": 3.0}
    done = MaterializedTable.objects.get()
    assert (done.table_version, done.online_rows, done.history_rows, done.newest_event) == (3, 3, 3, DAY)


def test_rows_that_others_append_are_carried_over(group: FeatureGroup) -> None:
    put(group, "a", 1.0)
    put(group, "b", 1.0)
    written(group)
    stamps = pa.array([DAY + timedelta(days=1), DAY - timedelta(days=1), DAY], pa.timestamp("us", tz="UTC"))
    foreign = pa.table({"entity_key": ["a", "b", "ç"], "event_timestamp": stamps, "x_v1": [5.0, 6.0, 7.0]})
    write_deltalake(history_location(group), foreign, mode="append", schema_mode="merge")

    assert written(group) == 2
    assert online(group) == {"a": 5.0, "b": 1.0, "ç": 7.0}


def test_a_foreign_row_of_the_same_event_does_not_win(group: FeatureGroup) -> None:
    """It says not when it was created, so what this store learnt comes after it."""
    put(group, "a", 1.0)
    written(group)
    stamps = pa.array([DAY], pa.timestamp("us", tz="UTC"))
    foreign = pa.table({"entity_key": ["a"], "event_timestamp": stamps, "x_v1": [5.0]})
    write_deltalake(history_location(group), foreign, mode="append", schema_mode="merge")

    assert written(group) == 0
    assert written(group, rebuild=True) == 1
    assert online(group) == {"a": 1.0}


def test_compaction_between_changes_nothing(group: FeatureGroup) -> None:
    for number in range(4):
        put(group, f"k{number}", float(number))
    written(group)
    delta = DeltaTable(history_location(group))
    delta.optimize.compact()
    put(group, "late", 9.0)
    delta.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    assert written(group) == 1
    assert online(group) == {"k0": 0.0, "k1": 1.0, "k2": 2.0, "k3": 3.0, "late": 9.0}


def test_an_expired_version_reads_the_whole_history(group: FeatureGroup) -> None:
    put(group, "a", 1.0)
    written(group)
    MaterializedTable.objects.update(table_version=77)
    put(group, "b", 2.0)

    assert written(group) == 1
    assert online(group) == {"a": 1.0, "b": 2.0}


def test_a_null_at_the_newest_event_is_online(group: FeatureGroup) -> None:
    put(group, "a", 1.0)
    put(group, "a", None, event=DAY + timedelta(days=1))
    written(group)
    assert online(group) == {"a": None}


def test_a_declared_column_that_history_lacks_is_null(group: FeatureGroup) -> None:
    put(group, "a", 1.0)
    make_feature(group, "y", "integer")
    written(group)
    assert FeatureValue.objects.get().values == {"x_v1": 1.0, "y_v1": None}


def test_an_archived_feature_is_not_served(group: FeatureGroup) -> None:
    make_feature(group, "y", "integer")
    put(group, "a", 1.0, y_v1=3)
    FeatureVersion.objects.filter(feature__name="y").update(status=Status.ARCHIVED)
    written(group)
    assert FeatureValue.objects.get().values == {"x_v1": 1.0}


def test_a_restored_feature_is_online_again(group: FeatureGroup) -> None:
    version = make_feature(group, "y")
    put_history(group, [{"key": key, "event": DAY, "x_v1": 1.0, "y_v1": 2.0} for key in "ab"])
    FeatureVersion.objects.filter(pk=version.pk).update(status=Status.ARCHIVED)
    materialize_group(group)
    assert [row.values for row in FeatureValue.objects.all()] == [{"x_v1": 1.0}] * 2
    FeatureVersion.objects.filter(pk=version.pk).update(status=Status.ACTIVE)

    assert (written(group), written(group)) == (2, 0)

    assert [row.values for row in FeatureValue.objects.all()] == [{"x_v1": 1.0, "y_v1": 2.0}] * 2


class TestEventsInTheFuture:
    def test_are_online_when_they_are_due(self, group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
        today = clock.now()
        soon, later = today + timedelta(hours=1), today + timedelta(hours=2)
        put(group, "a", 1.0)
        put(group, "a", 2.0, event=soon)
        put(group, "a", 3.0, event=later)
        put(group, "b", 4.0, event=soon)
        written(group)
        done = MaterializedTable.objects.get()
        assert (done.next_event, done.newest_event) == (soon, DAY)
        assert online(group) == {"a": 1.0}
        materialize_due()
        assert online(group) == {"a": 1.0}

        for module in (materialization, rebuilding):
            monkeypatch.setattr(module, "now", lambda: soon)
        assert groups_with_due_events() == [group]
        materialize_due()

        assert online(group) == {"a": 2.0, "b": 4.0}
        done = MaterializedTable.objects.get()
        assert (done.next_event, done.newest_event) == (later, soon)
        assert groups_with_due_events() == []

    def test_nothing_is_due_without_an_online_store(self, group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
        put(group, "a", 1.0, event=clock.now() + timedelta(seconds=1))
        materialize_group(group)
        MaterializedTable.objects.update(next_event=clock.now())
        assert groups_with_due_events() == [group]
        off = settings.FEATURESTORE.serving.model_copy(update={"online_store_enabled": False})
        monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(settings.FEATURESTORE, serving=off))
        assert groups_with_due_events() == []

    def test_nothing_is_audited_when_they_are(self, group: FeatureGroup) -> None:
        put(group, "a", 1.0)
        rebuild_online(group, whole=False)
        assert not AuditEvent.objects.filter(action="rebuild online").exists()


class TestRebuilding:
    def test_makes_the_online_rows_anew(self, group: FeatureGroup) -> None:
        put(group, "a", 1.0)
        put(group, "b", 2.0)
        written(group)
        FeatureValue.objects.filter(entity_key="a").delete()
        FeatureValue.objects.filter(entity_key="b").update(values={"x_v1": 99.0})
        FeatureValue.objects.create(
            group=group, entity_key="ghost", values={}, event_timestamp=DAY, created_timestamp=DAY
        )

        done = rebuild_online(group)

        assert done is not None
        assert (done.rows_written, done.table_version) == (2, 2)
        assert online(group) == {"a": 1.0, "b": 2.0}
        event = AuditEvent.objects.get(action="rebuild online")
        assert (event.object_name, event.after) == ("finance", {"rows": 2, "table_version": 2})
        assert leases.holder_of(group) is None

    def test_leaves_the_old_rows_when_it_breaks_off(self, group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
        put(group, "a", 1.0)
        written(group)
        put(group, "a", 2.0, event=DAY + timedelta(days=1))

        def broken(*_: Any, **__: Any) -> int:
            raise RuntimeError("no space left")

        monkeypatch.setattr(DatabaseOnlineStore, "_write_batch", broken)
        with pytest.raises(RuntimeError):
            rebuild_online(group)

        assert online(group) == {"a": 1.0}
        assert MaterializedTable.objects.get().table_version == 1
        assert leases.holder_of(group) is None

    def test_waits_for_the_run_that_holds_the_group(self, group: FeatureGroup) -> None:
        put(group, "a", 1.0)
        holder = leases.acquire(group, run_id=uuid4())
        assert holder is not None
        with pytest.raises(Conflict, match=f"run {holder.run_id} still holds finance"):
            rebuild_online(group, timeout=0)
        assert online(group) == {}

    def test_writes_nothing_when_it_lost_the_group(self, group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
        put(group, "a", 1.0)
        prepare = materialization.prepare

        def lose(*arguments: Any, **named: Any) -> Any:
            GroupLease.objects.update(epoch=99)
            return prepare(*arguments, **named)

        monkeypatch.setattr(materialization, "prepare", lose)
        with pytest.raises(leases.LeaseLost):
            rebuild_online(group)
        assert online(group) == {}


class TestCommand:
    def test_says_what_it_did(self, group: FeatureGroup, capsys: pytest.CaptureFixture[str]) -> None:
        put(group, "a", 1.0)
        make_group("empty")

        call_command("materialize", no_color=True)

        assert capsys.readouterr().out.splitlines() == [
            "empty: nothing was ever ingested",
            "finance: 1 online rows written, at version 1",
        ]
        assert online(group) == {"a": 1.0}

    def test_unknown_groups_are_named_with_the_nearest(self, group: FeatureGroup) -> None:
        with pytest.raises(CommandError, match="there is no feature group 'finanse'; did you mean finance?"):
            call_command("materialize", "finanse")

    def test_without_an_online_store_nothing_is_written(
        self, group: FeatureGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        serving = settings.FEATURESTORE.serving.model_copy(update={"online_store_enabled": False})
        monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(settings.FEATURESTORE, serving=serving))
        put(group, "a", 1.0)

        assert written(group) == 0
        assert online(group) == {}

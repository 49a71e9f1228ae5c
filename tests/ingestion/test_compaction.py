from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from django.core.management import call_command

from catalog.clock import now
from catalog.models import FeatureGroup
from ingestion.compaction import compact_group
from ingestion.models import GroupLease
from serving.models import MaterializedTable
from serving.stores import compaction
from serving.stores.offline import append_history, history_location, open_history, run_is_in_history
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db


def rows(first: int, count: int, run: str) -> pa.Table:
    stamp = pa.timestamp("us", tz="UTC")
    moments = [now() - timedelta(minutes=first + number) for number in range(count)]
    return pa.table(
        {
            "entity_key": [f"k{(first + number) % 7}" for number in range(count)],
            "event_timestamp": pa.array(moments, stamp),
            "created_timestamp": pa.array([None if n % 3 == 0 else moments[n] for n in range(count)], stamp),
            "run_id": [run] * count,
            "arrival": pa.array(range(first, first + count), pa.int64()),
            "balance_v1": pa.array([2**53 + first + number for number in range(count)], pa.int64()),
            "note_v1": [f"ü{number}" for number in range(count)],
        }
    )


@pytest.fixture
def group() -> FeatureGroup:
    made = make_group("payments")
    make_feature(made, "balance", data_type="integer")
    for number in range(12):
        append_history(group=made, rows=rows(number * 10, 10, f"r{number}"), run_id=f"r{number}", epoch=number + 1)
    return made


def content(group: FeatureGroup, version: int | None = None) -> list[dict[str, object]]:
    history = open_history(group, version=version)
    assert history is not None
    return sorted(history.dataset.to_table().to_pylist(), key=lambda row: row["arrival"])


def lease_ahead(group: FeatureGroup) -> None:
    GroupLease.objects.update_or_create(group=group, defaults={"epoch": 100})


def test_many_files_become_one_and_no_row_changes(group: FeatureGroup) -> None:
    lease_ahead(group)
    before = content(group)

    done = compact_group(group)

    assert done is not None
    assert (done.files_before, done.files_after) == (12, 1)
    assert content(group) == before
    assert len(before) == 120


def test_the_rows_lie_in_the_order_of_the_join(group: FeatureGroup) -> None:
    lease_ahead(group)
    compact_group(group)
    history = open_history(group)
    assert history is not None
    stored = history.dataset.to_table(["entity_key", "event_timestamp"]).to_pylist()
    order = [(row["entity_key"], row["event_timestamp"]) for row in stored]
    assert order == sorted(order)


def test_a_run_that_was_in_the_history_still_is(group: FeatureGroup) -> None:
    lease_ahead(group)
    compact_group(group)
    history = open_history(group)
    assert run_is_in_history(history, "r3")
    assert not run_is_in_history(history, "another")


def test_what_was_materialized_is_so_still(group: FeatureGroup) -> None:
    lease_ahead(group)
    history = open_history(group)
    assert history is not None
    MaterializedTable.objects.create(group=group, table_version=history.version, updated_at=now())

    done = compact_group(group)

    assert done is not None
    assert MaterializedTable.objects.get(group=group).table_version == done.table_version == history.version + 1


def test_older_versions_stay_readable(group: FeatureGroup) -> None:
    lease_ahead(group)
    before = content(group, version=5)
    compact_group(group)
    assert content(group, version=5) == before


def test_what_others_append_meanwhile_is_not_lost(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    lease_ahead(group)
    real = compaction.writer_properties

    def append_and_go_on(schema: pa.Schema, **options: int) -> object:
        write_deltalake(history_location(group), rows(1_000, 5, "spark"), mode="append")
        return real(schema, **options)

    monkeypatch.setattr(compaction, "writer_properties", append_and_go_on)
    compact_group(group)
    assert len(content(group)) == 125


def test_a_group_without_history() -> None:
    assert compact_group(make_group("empty")) is None


def test_the_command_says_what_it_did(group: FeatureGroup, capsys: pytest.CaptureFixture[str]) -> None:
    lease_ahead(group)
    call_command("compact", "payments")
    assert "payments: 12 files of" in capsys.readouterr().out

"""A whole ingestion of a small warehouse; the services suite runs it over every database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from catalog.actor import acting
from catalog.models import FeatureGroup
from ingestion import leases
from ingestion.models import IngestionRun, QuarantinedRow, RuleResult, RunKind, RunState, Source, ValidationReport
from ingestion.runs import execute_now, request_run
from serving.materialization import materialize_group
from serving.models import FeatureValue, MaterializedTable
from serving.stores.offline import open_history
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db(transaction=True)

BIG = 2**53 + 1
ROWS: list[tuple[Any, ...]] = [
    ("A", 1.5, BIG, "Zürich", 1, "2025-01-01 10:00:00"),
    ("a", 2.5, -BIG, "客户 🙂", 0, "2025-01-01 10:00:00.000001"),
    ("a ", None, 0, "a ", None, "2025-01-02 10:00:00"),
    ("bad", -4.0, 3, "kept out", 1, "2025-01-02 10:00:00"),
]


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    file = tmp_path / "warehouse.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "CREATE TABLE accounts (account TEXT, amount REAL, points INTEGER, town TEXT, active BOOLEAN, last_updated)"
        )
    put(file, *ROWS)
    return file


def put(file: Path, *rows: tuple[Any, ...]) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)", rows)


@pytest.fixture
def group(warehouse: Path) -> FeatureGroup:
    Source.objects.create(name="warehouse", kind="sqlite", location=str(warehouse))
    group = make_group("accounts", timestamp_column="last_updated", key_map={"customer_id": "account"})
    make_feature(group, "amount", validation={"min_value": 0, "severity": "reject"})
    make_feature(group, "points", "integer")
    make_feature(group, "town", "string")
    make_feature(group, "active", "boolean")
    make_feature(group, "missing")
    return group


def run_now(group: FeatureGroup, kind: RunKind = RunKind.INGEST) -> IngestionRun:
    with acting(None, "test"):
        return execute_now(request_run(group=group, kind=kind), timeout=5)


def online(group: FeatureGroup) -> dict[str, dict[str, Any]]:
    return {row.entity_key: row.values for row in FeatureValue.objects.filter(group=group)}


def history_rows(group: FeatureGroup) -> int:
    history = open_history(group)
    return 0 if history is None else history.rows


def test_first_ingestion_fills_both_stores(group: FeatureGroup) -> None:
    run = run_now(group)

    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert (run.rows_read, run.rows_rejected, run.rows_appended, run.rows_online) == (4, 1, 3, 3)
    assert online(group) == {
        "A": {"amount_v1": 1.5, "points_v1": BIG, "town_v1": "Zürich", "active_v1": True, "missing_v1": None},
        "a": {"amount_v1": 2.5, "points_v1": -BIG, "town_v1": "客户 🙂", "active_v1": False, "missing_v1": None},
        "a ": {"amount_v1": None, "points_v1": 0, "town_v1": "a ", "active_v1": None, "missing_v1": None},
    }
    assert history_rows(group) == 3
    newest = FeatureValue.objects.get(group=group, entity_key="a").event_timestamp
    assert newest == datetime(2025, 1, 1, 10, 0, 0, 1, tzinfo=UTC)
    assert MaterializedTable.objects.get(group=group).online_rows == 3


def test_what_is_wrong_is_told(group: FeatureGroup) -> None:
    run = run_now(group)

    kept_out = QuarantinedRow.objects.get(group=group)
    assert kept_out.row["town"] == "kept out"
    assert kept_out.last_run == run
    assert {problem["feature"] for problem in run.problems} >= {"amount", "missing"}
    assert ValidationReport.objects.get(run=run).row_count > 0
    assert RuleResult.objects.filter(report__run=run, rule="min_value", failed=1).exists()


def test_a_second_ingestion_changes_nothing(group: FeatureGroup) -> None:
    run_now(group)
    before = online(group)

    run = run_now(group)

    assert (run.state, run.rows_appended, run.rows_online) == (RunState.SUCCEEDED, 0, 0)
    assert online(group) == before
    assert history_rows(group) == 3


def test_changes_and_late_rows(group: FeatureGroup, warehouse: Path) -> None:
    run_now(group)
    put(
        warehouse,
        ("A", 9.5, 1, "Bern", 1, "2025-01-03 10:00:00"),
        ("a", 0.5, 1, "late", 1, "2024-12-31 10:00:00"),
        ("new", 1.0, 1, "new", 1, "2025-01-03 10:00:00"),
    )

    run = run_now(group)

    assert (run.rows_appended, run.rows_online) == (3, 2)
    assert online(group)["A"]["amount_v1"] == 9.5
    assert online(group)["a"]["town_v1"] == "客户 🙂"
    assert history_rows(group) == 6


def test_online_can_be_rebuilt_from_the_history(group: FeatureGroup) -> None:
    run_now(group)
    before = online(group)
    FeatureValue.objects.filter(group=group, entity_key="A").delete()
    FeatureValue.objects.filter(group=group, entity_key="a").update(values={"amount_v1": 77})

    materialize_group(group, rebuild=True)

    assert online(group) == before


def test_validation_alone(group: FeatureGroup) -> None:
    run_now(group)

    run = run_now(group, RunKind.VALIDATE)

    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert ValidationReport.objects.filter(group=group).count() == 2


class TestLeases:
    def test_one_holder_at_a_time(self, group: FeatureGroup) -> None:
        first, second = (IngestionRun(group=group) for _ in range(2))

        lease = leases.acquire(group, run_id=first.pk)

        assert lease is not None
        assert leases.acquire(group, run_id=second.pk) is None
        assert leases.holder_of(group) == first.pk
        leases.release(lease)
        again = leases.acquire(group, run_id=second.pk)
        assert again is not None
        assert again.epoch == lease.epoch + 1

    def test_a_lost_lease_is_noticed(self, group: FeatureGroup) -> None:
        lease = leases.acquire(group, run_id=IngestionRun(group=group).pk)
        assert lease is not None
        leases.release(lease)
        taken = leases.acquire(group, run_id=IngestionRun(group=group).pk)

        assert taken is not None
        assert not leases.renew(lease)
        with pytest.raises(leases.LeaseLost):
            leases.assert_held(lease)


def test_settings_of_this_run_name_its_database() -> None:
    assert settings.DATABASES["default"]["ENGINE"].rpartition(".")[2] == settings.FEATURESTORE.database.kind.replace(
        "sqlite", "sqlite3"
    )

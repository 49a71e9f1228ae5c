"""Rows that a rule keeps out: kept once each, in transactions that let others write."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.clock import now
from catalog.models import FeatureGroup
from ingestion import findings, leases
from ingestion.models import IngestionRun, QuarantinedRow
from ingestion.runs import request_run
from ingestion.source_rows import RejectedRow
from tests.small_warehouse import MONDAY, Warehouse, ingest, make_accounts, make_warehouse

pytestmark = pytest.mark.django_db


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return make_warehouse(tmp_path)


@pytest.fixture
def group(warehouse: Warehouse) -> FeatureGroup:
    return make_accounts()


def rejected(count: int, message: str = "too low") -> list[RejectedRow]:
    reason = ({"rule": "min_value", "feature": "amount", "message": message},)
    return [RejectedRow(f"k{number}", MONDAY, {"account": f"k{number}"}, reason) for number in range(count)]


def test_every_chunk_is_held_by_itself(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "_CHUNK", 10)
    held: list[int] = []
    count = findings.store_quarantine(
        run=request_run(group=group),
        rejected=rejected(25),
        hold=lambda: held.append(QuarantinedRow.objects.count()),
    )
    assert (count, held) == (25, [0, 10, 20])


def test_a_lost_lease_ends_it(group: FeatureGroup) -> None:
    lease = leases.acquire(group, run_id=request_run(group=group).pk)
    assert lease is not None
    leases.release(lease)
    with pytest.raises(leases.LeaseLost):
        findings.store_quarantine(
            run=IngestionRun.objects.get(), rejected=rejected(1), hold=lambda: leases.assert_held(lease)
        )
    assert not QuarantinedRow.objects.exists()


def test_rows_met_again_cost_no_query_each(group: FeatureGroup) -> None:
    first, second = request_run(group=group), IngestionRun.objects.create(group=group, created_at=now())
    findings.store_quarantine(run=first, rejected=rejected(200), hold=lambda: None)
    with CaptureQueriesContext(connection) as queries:
        findings.store_quarantine(run=second, rejected=rejected(200), hold=lambda: None)
    assert len(queries) <= 6
    assert set(QuarantinedRow.objects.values_list("first_run", "last_run")) == {(first.pk, second.pk)}


def test_another_reason_is_kept(group: FeatureGroup) -> None:
    run = request_run(group=group)
    findings.store_quarantine(run=run, rejected=rejected(3), hold=lambda: None)
    findings.store_quarantine(run=run, rejected=[*rejected(2), *rejected(3, "other")[2:]], hold=lambda: None)
    messages = [row.reasons[0]["message"] for row in QuarantinedRow.objects.order_by("entity_key")]
    assert messages == ["too low", "too low", "other"]


def test_rows_of_every_batch_are_kept_as_the_source_has_them(
    group: FeatureGroup, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = settings.FEATURESTORE.ingestion.model_copy(update={"batch_size": 7})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(settings.FEATURESTORE, ingestion=small))
    warehouse.put(*[(f"k{number}", -1.0 - number, "Bern", MONDAY) for number in range(30)])
    run = ingest(group)
    assert run.rows_rejected == 30
    kept = QuarantinedRow.objects.values_list("entity_key", "row")
    assert {key: row["amount"] for key, row in kept} == {f"k{number}": -1.0 - number for number in range(30)}

"""GET stats."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureGroup
from ingestion.models import IngestionRun
from serving.models import FeatureUsage, LatencyBucket, MaterializedTable
from tests.api.asking import ask, caller, error_of
from tests.api.described_catalog import profile, run
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _counted_anew() -> None:
    caches["answers"].clear()


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


@pytest.fixture
def finance() -> FeatureGroup:
    group = make_group("finance", freshness=timedelta(hours=1))
    version = make_feature(group, "balance_mean")
    profile(version)
    make_feature(group, "balance_sum", source_problem="no such column")
    at = now()
    MaterializedTable.objects.create(
        group=group,
        table_version=3,
        online_rows=100,
        history_rows=400,
        history_bytes=4096,
        newest_event=at - timedelta(hours=2),
        updated_at=at,
    )
    run(group)
    FeatureUsage.objects.create(
        day=at.date(), feature=version.feature, caller="model", online_reads=7, historical_reads=2, entities=30
    )
    FeatureUsage.objects.create(
        day=at.date() - timedelta(days=40), feature=version.feature, caller="old", online_reads=100
    )
    for upper, requests in ((1.0, 90), (5.0, 9), (100.0, 1)):
        LatencyBucket.objects.create(hour=at, kind="online", upper_ms=upper, requests=requests)
    return group


def test_the_numbers(viewer: Client, finance: FeatureGroup) -> None:
    status, body = ask(viewer, "stats")
    assert status == 200
    assert body["totals"] == {
        "entities": 1,
        "groups": 1,
        "features": 2,
        "versions": 2,
        "services": 0,
        "tags": 0,
        "runs": 1,
        "rows_online": 100,
        "rows_history": 400,
    }
    fresh = body["freshness"][0]
    assert (fresh["group"], fresh["promised_seconds"], fresh["is_late"]) == ("finance", 3600.0, True)
    assert 7200 <= fresh["age_seconds"] < 7300
    assert fresh["last_run"]["state"] == "succeeded"
    assert body["usage"] == {
        "days": 30,
        "online_reads": 7,
        "historical_reads": 2,
        "features_read": 1,
        "callers": 1,
        "most_read": [
            {"feature": "balance_mean", "feature_group": "finance", "online_reads": 7, "historical_reads": 2}
        ],
    }
    assert body["quality"] == {
        "features_measured": 1,
        "features_without_values": 1,
        "completeness": 1.0,
        "validity": 0.99,
        "consistency": 1.0,
    }
    assert body["latency"]["online"] == {"requests": 100, "failures": 0, "p50_ms": 1.0, "p95_ms": 5.0, "p99_ms": 5.0}
    assert body["latency"]["historical"]["p50_ms"] is None
    assert body["storage"]["offline_bytes"] == 4096
    assert body["storage"]["groups"] == [
        {"group": "finance", "rows_online": 100, "rows_history": 400, "bytes_history": 4096, "table_version": 3}
    ]


def test_an_empty_store_has_numbers_too(viewer: Client) -> None:
    status, body = ask(viewer, "stats")
    assert (status, body["totals"]["features"], body["freshness"]) == (200, 0, [])
    assert body["quality"]["completeness"] is None


def test_who_sees_them(viewer: Client, finance: FeatureGroup) -> None:
    FeatureGroup.objects.update(status="archived")
    body = ask(viewer, "stats")[1]
    assert (body["totals"]["groups"], body["usage"]["online_reads"]) == (0, 0)
    assert error_of(ask(caller(None), "stats")) == (403, "permission_denied")
    assert error_of(ask(Client(), "stats")) == (401, "not_authenticated")


def test_errors_that_may_quote_values_are_for_those_who_may_see_them(viewer: Client, finance: FeatureGroup) -> None:
    IngestionRun.objects.update(error="161993.89 is too much")
    caches["answers"].clear()
    assert ask(viewer, "stats")[1]["freshness"][0]["last_run"]["error"] == "161993.89 is too much"
    finance.features.filter(name="balance_mean").update(sensitivity="personal")
    assert ask(viewer, "stats")[1]["freshness"][0]["last_run"]["error"] is None
    mending = ask(caller(Role.DATA_ENGINEER), "stats")[1]
    assert mending["freshness"][0]["last_run"]["error"] == "161993.89 is too much"


def test_the_number_of_queries_does_not_grow_with_the_rows(viewer: Client, finance: FeatureGroup) -> None:
    ask(viewer, "stats")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            ask(viewer, "stats")
        return len(captured)

    few = queries()
    for number in range(10):
        group = make_group(f"g{number}")
        profile(make_feature(group, f"f{number}"))
        run(group)
    assert queries() == few

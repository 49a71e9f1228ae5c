"""GET /metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from catalog.access import Role
from catalog.clock import now
from featurestore_site.configuration import Configuration
from ingestion.metrics import recent_metrics
from serving.models import LatencyBucket, MaterializedTable
from tests.api.asking import caller
from tests.api.described_catalog import run
from tests.stocked_store import client_of, make_feature, make_group, make_user

pytestmark = pytest.mark.django_db

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def figures(client: Client) -> Figures:
    response = client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(response.content.decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def test_the_figures() -> None:
    group = make_group("finance", freshness=timedelta(hours=1))
    make_feature(group, "balance")
    make_feature(group, "total", source_problem="no such column")
    event = now() - timedelta(hours=2)
    MaterializedTable.objects.create(
        group=group, table_version=1, online_rows=10, history_rows=40, history_bytes=99, newest_event=event,
        updated_at=now(),
    )  # fmt: skip
    run(group)
    for upper, requests, failures in ((1.0, 90, 0), (5.0, 9, 2)):
        LatencyBucket.objects.create(hour=now(), kind="online", upper_ms=upper, requests=requests, failures=failures)

    found = figures(caller(Role.VIEWER))

    of_group = {name: value for (name, labels), value in found.items() if labels == (("group", "finance"),)}
    assert of_group == {
        "featurestore_group_features": 2,
        "featurestore_group_features_without_values": 1,
        "featurestore_group_online_rows": 10,
        "featurestore_group_history_rows": 40,
        "featurestore_group_history_bytes": 99,
        "featurestore_group_newest_event_timestamp_seconds": pytest.approx(event.timestamp()),
        "featurestore_group_late": 1,
        "featurestore_group_last_run_failed": 0,
    }
    assert found["featurestore_healthy", ()] == 1
    assert found["featurestore_check", (("check", "database"),)] == 1
    assert found["featurestore_runs", (("kind", "ingest"), ("state", "succeeded"))] == 1
    online = (("kind", "online"),)
    assert (found["featurestore_reads_total", online], found["featurestore_read_failures_total", online]) == (99, 2)
    assert found["featurestore_reads_within_total", (("kind", "online"), ("milliseconds", "1"))] == 90
    assert found["featurestore_reads_within_total", (("kind", "online"), ("milliseconds", "5"))] == 99


def test_they_are_kept_for_the_interval_and_cost_no_more_with_more_groups() -> None:
    make_group("one")
    with CaptureQueriesContext(
        connection,
    ) as few:
        recent_metrics()
    with CaptureQueriesContext(connection) as kept:
        recent_metrics()
    for name in ("two", "three", "four"):
        run(make_group(name))
    cache.clear()
    with CaptureQueriesContext(connection) as many:
        recent_metrics()
    assert len(kept) == 0
    assert len(many) <= len(few) + 1


def test_nobody_without_a_token_or_a_role() -> None:
    refused = Client().get("/metrics", headers={"accept": "text/plain"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "not_authenticated")
    assert client_of(make_user("stranger")).get("/metrics").status_code == 403


def test_turned_off_it_is_not_there(configuration: Configuration) -> None:
    monitoring = configuration.monitoring.model_copy(update={"metrics_enabled": False})
    settings.FEATURESTORE = dataclasses.replace(configuration, monitoring=monitoring)
    answer = caller(Role.VIEWER).get("/metrics")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

"""Metadata, health and management calls."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

import feature_store_client as sdk
from feature_store_client import FeatureStoreClient
from tests.client.scripted_server import Answer, ScriptedServer, error


def feature(name: str, **more: Any) -> dict[str, Any]:
    return {
        "feature_id": f"customer_{name}_v1",
        "name": name,
        "description": "mean balance",
        "feature_group": "customer_financial",
        "data_type": "float",
        "version": "1.0",
        "source_table": "fact_customer_features",
        "source_column": name,
        "creation_date": "2025-01-01T00:00:00Z",
        "last_updated": None,
        "created_by": "ana",
        "tags": ["money"],
        "statistics": {"min_value": 0.0, "null_count": 3},
        "quality_metrics": {"completeness": 0.99},
    } | more


def test_listing_follows_every_page_at_its_own_address(client: FeatureStoreClient, server: ScriptedServer) -> None:
    elsewhere = "https://inside.example/api/v1/metadata/features?page=2&tag=a%2Cb"
    server.script(
        Answer(200, {"count": 3, "next": elsewhere, "previous": None, "results": [feature("a"), feature("b")]}),
        Answer(200, {"count": 3, "next": None, "previous": "x", "results": [feature("c")]}),
    )
    found = client.list_features(group="customer_financial", tag=None, page_size=2)
    assert server.asked == []
    assert [info.name for info in found] == ["a", "b", "c"]
    assert [asked.query for asked in server.asked] == [
        {"group": ["customer_financial"], "page_size": ["2"]},
        {"page": ["2"], "tag": ["a,b"]},
    ]
    assert {asked.raw_path for asked in server.asked} == {"/api/v1/metadata/features"}


def test_pages_in_a_circle_end(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, {"next": "/?page=2", "results": []}))
    with pytest.raises(sdk.UnexpectedResponseError, match="circle"):
        list(client.list_features())


def test_the_quality_of_one_feature(client: FeatureStoreClient, server: ScriptedServer) -> None:
    rule = {"rule": "max_value", "state": "warn", "failed": 7, "checks": [{"state": "warn", "failed": 7}]}
    server.script(Answer(200, {"feature": "g:balance_mean", "measures": [], "rules": [rule]}))
    assert client.get_quality("g:balance_mean")["rules"] == [rule]
    assert server.asked[0].raw_path == "/api/v1/metadata/features/g%3Abalance_mean/quality"


def test_the_audit_of_one_feature_follows_every_page(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(
        Answer(200, {"count": 2, "next": "/?page=2", "previous": None, "results": [{"id": 2, "actor": "ana"}]}),
        Answer(200, {"count": 2, "next": None, "previous": "/", "results": [{"id": 1, "actor": "ben"}]}),
    )
    assert [one["actor"] for one in client.get_audit("balance_mean")] == ["ana", "ben"]
    assert {asked.raw_path for asked in server.asked} == {"/api/v1/metadata/features/balance_mean/audit"}
    server.script(error(403, "permission_denied", "this needs the capability edit_catalog"))
    with pytest.raises(sdk.PermissionDeniedError):
        next(client.get_audit("balance_mean"))


def test_the_metadata_of_one_feature(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, feature("balance_mean", versions=["1.0"])))
    info = client.get_feature_metadata("customer_financial:balance_mean")
    assert server.asked[0].raw_path == "/api/v1/metadata/features/customer_financial%3Abalance_mean"
    assert (info.name, info.tags, info.created_by) == ("balance_mean", ("money",), "ana")
    assert info.creation_date == datetime(2025, 1, 1, tzinfo=UTC)
    assert info.last_updated is None
    assert info.statistics == {"min_value": 0.0, "null_count": 3}
    assert info.details["versions"] == ["1.0"]


def test_search(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, {"count": 1, "next": None, "previous": None, "results": [feature("a")]}))
    assert [info.name for info in client.search_features(["money", "risk"], "mean", match="all")] == ["a"]
    client.search_features(tags="money")
    assert server.asked[0].raw_path == "/api/v1/metadata/features/search"
    assert [asked.query for asked in server.asked] == [
        {"tags": ["money,risk"], "q": ["mean"], "match": ["all"]},
        {"tags": ["money"]},
    ]
    with pytest.raises(sdk.InvalidRequestError):
        client.search_features()


def test_lineage(client: FeatureStoreClient, server: ScriptedServer) -> None:
    node = {"id": "t:1", "kind": "table", "name": "dim_customers"}
    edge = {"source": "t:1", "target": "f:2", "transformation": "mean"}
    server.script(Answer(200, {"feature": "a", "nodes": [node], "edges": [edge]}))
    lineage = client.get_lineage("a", depth=2)
    assert server.asked[0].query == {"depth": ["2"]}
    assert lineage == sdk.Lineage(feature="a", nodes=(sdk.LineageNode(**node),), edges=(sdk.LineageEdge(**edge),))


def test_health_is_an_answer_also_when_it_is_bad(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(
        Answer(200, {"status": "ok", "checks": {"database": "ok"}}),
        Answer(503, {"status": "unavailable", "checks": {"database": "down"}}),
    )
    assert client.health() == sdk.Health(healthy=True, status="ok", checks={"database": "ok"})
    assert client.health() == sdk.Health(healthy=False, status="unavailable", checks={"database": "down"})
    assert len(server.asked) == 2


def test_a_proxy_without_a_server_is_no_health(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(503, b"<html>no upstream", content_type="text/html"))
    with pytest.raises(sdk.ServerUnavailableError, match="no upstream"):
        client.health()


def run(state: str, number: int = 5, **more: Any) -> dict[str, Any]:
    return {"id": number, "group": "g", "state": state, "url": f"http://inside/api/v1/runs/{number}/", **more}


def test_refresh_starts_runs(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(202, {"runs": [run("queued")]}))
    (started,) = client.refresh("g")
    assert server.asked[0].json == {"groups": ["g"]}
    assert (started.id, started.group, started.state, started.finished) == (5, "g", "queued", False)
    client.refresh()
    assert server.asked[1].json == {}


def test_refresh_waits_for_every_run(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(
        Answer(202, {"runs": [run("queued", 5), run("queued", 6)]}),
        Answer(200, run("running", 5)),
        Answer(200, run("succeeded", 5, rows_read=10)),
        Answer(200, run("failed", 6, error="no such table")),
    )
    good, bad = client.refresh(["g", "h"], wait=True, timeout=10)
    assert [asked.raw_path.removeprefix("/api/v1/") for asked in server.asked] == [
        "refresh",
        "runs/5",
        "runs/5",
        "runs/6",
    ]
    assert good.succeeded
    assert good.details["rows_read"] == 10
    good.raise_if_failed()
    assert bad.finished
    with pytest.raises(sdk.RunFailedError, match="run 6 of group g failed: no such table"):
        bad.raise_if_failed()


@pytest.mark.parametrize("name", [5, "5", "http://inside/api/v1/runs/5/", "/api/v1/runs/5"])
def test_a_run_by_id_or_url_is_asked_for_at_the_own_server(
    client: FeatureStoreClient, server: ScriptedServer, name: int | str
) -> None:
    server.script(Answer(200, run("running")))
    assert client.get_run(client.get_run(name)).id == 5
    assert {asked.raw_path for asked in server.asked} == {"/api/v1/runs/5"}


def test_waiting_ends_in_time(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, run("running")))
    started = time.monotonic()
    with pytest.raises(sdk.RunTimeoutError, match="run 5 of group g is still running after 0.2 s"):
        client.wait_for_run(5, timeout=0.2, poll_interval=0.05)
    assert 0.2 <= time.monotonic() - started < 1
    assert len(server.asked) >= 3


def test_validation(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(202, {"runs": [run("queued")]}), Answer(200, {"passed": False, "groups": []}))
    started = client.validate(["g"])
    assert (started.finished, [one.id for one in started.runs], started.report) == (False, [5], {})
    done = client.validate(wait=True)
    assert (done.finished, done.report) == (True, {"passed": False, "groups": []})
    assert [asked.json for asked in server.asked] == [{"groups": ["g"]}, {"wait": True}]


def test_a_validation_that_outlasts_the_wait_of_the_server(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(202, {"runs": [run("running")]}))
    unfinished = client.validate(wait=True)
    assert (unfinished.finished, unfinished.report, len(unfinished.runs)) == (False, {}, 1)


def test_a_conflict_is_said(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(error(409, "conflict", "group g is being ingested"))
    with pytest.raises(sdk.ConflictError, match="being ingested"):
        client.refresh("g")

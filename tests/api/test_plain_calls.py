"""Plain calls take a short way to the values, on which nothing is left out and nothing is answered otherwise."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.models import FeatureGroup
from featurestore_site import token_buckets
from serving import access_log
from serving.api import plain_calls
from serving.api.plain_calls import PlainCallViewSet
from serving.stores.row_reads import fetch_rows
from tests.stocked_store import client_of, make_feature, make_group, make_user, put_online

pytestmark = pytest.mark.django_db

BATCH, FEAST = "/api/v1/features/batch", "/get-online-features"
JSON = "application/json"


@pytest.fixture
def group() -> FeatureGroup:
    group = make_group()
    make_feature(group, "balance_mean", sensitivity="confidential")
    make_feature(group, "visits", "integer")
    put_online(group, "1", {"balance_mean_v1": 1.5, "visits_v1": 2**53 + 1})
    return group


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    output = settings.FEATURESTORE.output.model_copy(update={"logs_dir": tmp_path})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(settings.FEATURESTORE, output=output))
    return tmp_path


def answer(client: Client, path: str, body: bytes) -> tuple[int, dict[str, str], Any]:
    response = client.post(path, body, content_type=JSON)
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
    return response.status_code, headers, json.loads(response.content)


def records(log: Path) -> list[dict[str, Any]]:
    lines = [line for file in sorted((log / "access").glob("*")) for line in file.read_bytes().splitlines()]
    return [{**json.loads(line), "at": "", "ms": 0, "request_id": ""} for line in lines]


CALLERS = {
    "reader": lambda: client_of(make_user("reader", Role.VIEWER)),
    "steward": lambda: client_of(make_user("steward", Role.STEWARD)),
    "without role": lambda: client_of(make_user("nobody")),
    "for writing only": lambda: client_of(make_user("writer", Role.STEWARD), ("write",)),
    "unknown key": lambda: Client(headers={"authorization": "Token fs_no"}),
    "no form": lambda: Client(headers={"authorization": "Token a b"}),
    "bearer": lambda: Client(headers={"authorization": "Bearer fs_no"}),
    "nobody": Client,
}
BODIES = {
    BATCH: [
        {"entity_id": 1, "features": ["balance_mean", "visits"], "include_metadata": True},
        {"entity_ids": [1, 2], "features": ["visits"], "form": "columns"},
        {"entity_id": 1, "features": ["nothing"]},
        {"entity_id": 1.5, "features": ["visits"]},
        [],
    ],
    FEAST: [
        {"entities": {"customer_id": [1]}, "features": ["finance:visits", "finance:balance_mean"]},
        {"entities": {}, "features": ["finance:none"]},
    ],
}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("path", BODIES)
def test_both_ways_answer_and_record_the_same(
    group: FeatureGroup, log: Path, path: str, caller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = CALLERS[caller]()
    bodies = [*(json.dumps(body).encode() for body in BODIES[path]), b"{", b""]
    short = [answer(client, path, body) for body in bodies]
    recorded = records(log)
    monkeypatch.setattr(plain_calls, "_is_plain", lambda _: False)
    assert [answer(client, path, body) for body in bodies] == short
    assert records(log) == [*recorded, *recorded]
    admitted = caller in ("reader", "steward")
    assert [record["status"] for record in recorded] == ([status for status, *_ in short] if admitted else [])


def test_only_plain_calls_take_it(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = client_of(make_user("reader", Role.VIEWER))
    body = {"entity_id": 1, "features": ["visits"]}
    taken: list[str] = []
    admitted = PlainCallViewSet._answer
    monkeypatch.setattr(PlainCallViewSet, "_answer", lambda *given: taken.append("short") or admitted(*given))

    def status(**sent: Any) -> int:
        return reader.post(BATCH, body, **{"content_type": JSON, **sent}).status_code

    assert status() == status(headers={"accept": "*/*"}) == status(headers={"accept": JSON}) == 200
    assert len(taken) == 3
    assert status(headers={"accept": "application/vnd.apache.arrow.stream"}) == 200
    assert status(headers={"accept": "text/html"}) == 406
    assert status(content_type="application/json; charset=utf-8") == 200
    assert status(content_type="text/plain") == 415
    assert status(headers={"content-encoding": "gzip"}) == 415
    assert reader.get(BATCH).status_code == 405
    assert reader.options(BATCH).status_code == 200
    assert len(taken) == 3


def test_a_plain_call_is_limited(
    group: FeatureGroup, monkeypatch: pytest.MonkeyPatch, settings: Any, log: Path
) -> None:
    configuration = settings.FEATURESTORE
    limit = configuration.security.rate_limiting.model_copy(update={"enabled": True, "requests_per_minute": 2})
    security = configuration.security.model_copy(update={"rate_limiting": limit})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(configuration, security=security))
    monkeypatch.setattr(token_buckets, "_of_this_process", token_buckets.ProcessBuckets())
    reader = client_of(make_user("reader", Role.VIEWER))
    body = json.dumps({"entity_id": 1, "features": ["visits"]}).encode()
    answers = [answer(reader, BATCH, body) for _ in range(3)]
    assert [status for status, *_ in answers] == [200, 200, 429]
    assert int(answers[2][1]["Retry-After"]) >= 1
    assert len(records(log)) == 2


def test_a_read_without_a_record_is_not_answered(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(access_log.os, "write", full)
    reader = client_of(make_user("reader", Role.VIEWER))
    status, headers, told = answer(reader, BATCH, json.dumps({"entity_id": 1, "features": ["visits"]}).encode())
    assert (status, told["error"]["code"], headers["Retry-After"]) == (503, "unavailable", "1")


def test_rows_are_the_same_whoever_watches_the_queries() -> None:
    statement = "SELECT %s, %s"
    unwatched = fetch_rows(connection, statement, ["a", 2])
    with CaptureQueriesContext(connection) as queries:
        assert fetch_rows(connection, statement, ["a", 2]) == unwatched == [("a", 2)]
    assert len(queries) == 1

"""Every error of the API has the one shape, whatever went wrong and wherever."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from catalog.access import Role
from featurestore_site import token_buckets
from featurestore_site.configuration import Configuration
from featurestore_site.openapi import calls_of_the_api
from ingestion.api import stats
from tests.api.asking import Answer, ask, caller, error_of, send
from tests.stocked_store import make_user

pytestmark = pytest.mark.django_db

_EXAMPLES = {"{entity_id}": "7", "{reference}": "nothing", "{ref}": "nothing", "{name}": "nothing", "{id}": "7"}
OPEN = ("/api/v1/health",)


def concrete(path: str) -> str:
    for name, value in _EXAMPLES.items():
        path = path.replace(name, value)
    return path.removeprefix("/api/v1/")


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


def test_the_docs_page_takes_only_what_reads_it() -> None:
    assert Client().options("/api/v1/docs").status_code == 405


@pytest.mark.parametrize("call", calls_of_the_api(), ids=lambda call: f"{call['method']} {call['path']}")
def test_every_call_refuses_strangers(call: dict[str, str]) -> None:
    if call["path"] in OPEN:
        return
    path = concrete(call["path"])
    if path.startswith(("runs/", "datasets/")):
        path = path.replace("/7", "/00000000-0000-4000-8000-000000000000")
    client = Client()
    assert error_of(send(client, call["method"], path, {} if call["method"] != "GET" else None)) == (
        401,
        "not_authenticated",
    )


def test_a_challenge_comes_with_401() -> None:
    response = Client().get("/api/v1/stats")
    assert response["WWW-Authenticate"] == "Token"
    response = Client(headers={"authorization": "Token nonsense"}).get("/api/v1/stats")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")


@pytest.mark.parametrize("path", ["nothing", "health/", "metadata", "metadata/features/a/b", "../../api/x"])
def test_unknown_addresses(viewer: Client, path: str) -> None:
    assert error_of(ask(viewer, path)) == (404, "not_found")
    assert error_of(send(Client(enforce_csrf_checks=True), "POST", path, {})) == (404, "not_found")


def test_unknown_addresses_while_debugging(settings: Any) -> None:
    settings.DEBUG = True
    assert error_of(ask(Client(), "nothing")) == (404, "not_found")


def test_methods_that_a_call_does_not_take(viewer: Client) -> None:
    for method, path, allowed in (
        ("DELETE", "metadata/features", "GET"),
        ("PUT", "metadata/features/x", "GET"),
        ("GET", "refresh", "POST"),
        ("POST", "health", "GET"),
        ("GET", "features/batch", "POST"),
    ):
        client = caller(Role.ADMINISTRATOR, f"admin-{path}-{method}".replace("/", "-"))
        response = client.generic(method, f"/api/v1/{path}")
        answer: Answer = response.status_code, json.loads(response.content)
        assert error_of(answer) == (405, "method_not_allowed")
        assert allowed in answer[1]["error"]["details"]["allowed"]
        assert allowed in response["Allow"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b'{"groups": NaN}', b"[" * 100_000, b'"\\ud800"', b"null"])
def test_bodies_that_are_no_json_object(body: bytes) -> None:
    response = caller(Role.ADMINISTRATOR).post("/api/v1/refresh", body, content_type="application/json")
    assert error_of((response.status_code, json.loads(response.content))) == (400, "invalid_input")


def test_a_media_type_that_is_not_taken() -> None:
    response = caller(Role.ADMINISTRATOR).post("/api/v1/refresh", b"<a/>", content_type="application/xml")
    assert error_of((response.status_code, json.loads(response.content))) == (415, "unsupported_media_type")


def test_a_media_type_that_is_not_given(viewer: Client) -> None:
    response = viewer.get("/api/v1/stats", headers={"accept": "text/html"})
    assert error_of((response.status_code, json.loads(response.content))) == (406, "not_acceptable")


def test_too_many_requests(viewer: Client, configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = configuration.security.rate_limiting.model_copy(update={"enabled": True, "requests_per_minute": 2})
    security = configuration.security.model_copy(update={"rate_limiting": limit})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(configuration, security=security))
    monkeypatch.setattr(token_buckets, "_of_this_process", token_buckets.ProcessBuckets())
    responses = [viewer.get("/api/v1/metadata/tags") for _ in range(4)]
    last = responses[-1]
    answer = last.status_code, json.loads(last.content)
    assert error_of(answer) == (429, "throttled")
    assert 1 <= int(last["Retry-After"]) == answer[1]["error"]["details"]["retry_after"] <= 120


def test_a_session_may_read_and_needs_the_csrf_token_to_write() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("person", Role.DATA_ENGINEER))
    assert ask(client, "metadata/groups")[0] == 200
    answer = send(client, "POST", "refresh", {})
    assert error_of(answer) == (403, "permission_denied")
    assert "CSRF" in answer[1]["error"]["message"]


def test_a_host_that_is_not_ours() -> None:
    response = Client(headers={"host": "elsewhere.example"}).get("/api/v1/health")
    assert error_of((response.status_code, json.loads(response.content)))[0] == 400


def test_a_busy_database_is_503(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(stats, "recent_stats", busy)
    response = viewer.get("/api/v1/stats")
    assert error_of((response.status_code, json.loads(response.content))) == (503, "unavailable")
    assert response["Retry-After"] == "1"


def test_a_fault_of_the_store_tells_nothing_of_itself(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("secret of the store")

    monkeypatch.setattr(stats, "recent_stats", broken)
    viewer.raise_request_exception = False
    response = viewer.get("/api/v1/stats", headers={"x-request-id": "abc-1"})
    assert error_of((response.status_code, json.loads(response.content))) == (500, "server_error")
    assert b"secret" not in response.content
    assert response["X-Request-ID"] == "abc-1"


def test_pages_keep_their_own_errors() -> None:
    response = Client().get("/no-such-page-at-all")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")

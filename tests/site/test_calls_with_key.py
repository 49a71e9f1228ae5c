"""Calls with a key go straight to their view, and are answered as all others are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import cache, signals
from django.db import close_old_connections, connection, reset_queries
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import override_settings

from catalog.access import Role
from featurestore_site.between_requests import attend_to_one_database, close_old_connection
from featurestore_site.middleware import CallsWithKey
from tests.site.test_deployment import manage
from tests.stocked_store import client_of, make_user

pytestmark = pytest.mark.django_db

PATHS = ["/api/v1/metadata/features", "/api/v1/features/no/1", "/api/v1/nothing", "/api/v1/docs"]


def long_way(self: CallsWithKey, request: HttpRequest) -> HttpResponse:
    return self.get_response(request)


@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize("path", PATHS)
def test_the_headers_are_those_of_the_long_way(path: str, https: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    hsts = {"SECURE_HSTS_SECONDS": 60, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True} if https else {}
    with override_settings(**hsts):
        headers = {"authorization": client_of(make_user("reader", Role.VIEWER)).defaults["HTTP_AUTHORIZATION"]}
        short = Client(headers=headers).get(path, secure=https)
        monkeypatch.setattr(CallsWithKey, "__call__", long_way)
        long = Client(headers=headers).get(path, secure=https)

    def told(response: Any) -> dict[str, str]:
        named = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
        return {**named, "Vary": ", ".join(sorted(part.strip() for part in named["Vary"].split(",")))}

    expected = told(long)
    # The long way looks for a session, and says so; a call with a key does not depend on one.
    expected["Vary"] = ", ".join(part for part in expected["Vary"].split(", ") if part != "Cookie")
    assert told(short) == expected
    assert ("Strict-Transport-Security" in short.headers) is https
    assert short.headers["X-Request-ID"]


def test_without_https_a_call_is_sent_there_where_the_site_demands_it() -> None:
    caller = client_of(make_user("reader", Role.VIEWER))
    with override_settings(SECURE_SSL_REDIRECT=True):
        plain = Client(headers={"authorization": caller.defaults["HTTP_AUTHORIZATION"]})
        response = plain.get("/api/v1/stats")
        assert (response.status_code, response["Location"]) == (301, "https://testserver/api/v1/stats")
        assert plain.get("/api/v1/stats", secure=True).status_code == 200


def test_a_host_that_is_not_ours_is_refused_with_all_headers() -> None:
    caller = client_of(make_user("reader", Role.VIEWER))
    response = caller.get("/api/v1/stats", headers={"host": "elsewhere.example"})
    assert (response.status_code, json.loads(response.content)["error"]["code"]) == (400, "invalid_input")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "no-store"


ASK_WITH_KEY = """
import json
from django.test import Client
def ask(**headers):
    answer = Client(headers={"authorization": "Token none", "host": "127.0.0.1", **headers}).get("/api/v1/stats")
    return [answer.status_code, answer.headers.get("access-control-allow-origin"), answer.headers["Vary"].lower()]
print(json.dumps([ask(), ask(origin="https://app.example.org"), ask(origin="https://other.example.org")]))
"""


def test_pages_of_other_origins_call_with_a_key_where_they_may(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "security:\n  cors: {enabled: true, allow_origins: ['https://app.example.org']}\n", encoding="utf-8"
    )
    done = manage(tmp_path, "migrate", "-v", "0", FEATURESTORE_CONFIG=str(file))
    done = manage(tmp_path, "shell", "-v", "0", "-c", ASK_WITH_KEY, FEATURESTORE_CONFIG=str(file))
    assert done.returncode == 0, done.stderr
    program, page, other = json.loads(done.stdout.splitlines()[-1])
    assert (program[:2], page[:2], other[:2]) == ([401, None], [401, "https://app.example.org"], [401, None])
    assert all("origin" in answer[2] for answer in (program, page, other))


@pytest.fixture
def attended() -> Iterator[None]:
    attend_to_one_database()
    yield
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connection)
        signal.connect(close_old_connections)
    signals.request_finished.connect(cache.close_caches)
    signals.request_started.connect(reset_queries)


def test_a_connection_is_looked_at_once_before_and_once_after_a_request(
    attended: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: looked.append("looked"))
    signals.request_started.send(sender=None)
    assert looked == ["looked"]
    signals.request_finished.send(sender=None)
    assert looked == ["looked", "looked"]

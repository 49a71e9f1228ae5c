"""The application by WSGI: what a server is given for calls with a key and for all others."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from django.core import signals
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import override_settings

from catalog.access import Role
from featurestore_site.handler import Application
from tests.stocked_store import client_of, make_feature, make_group, make_user, put_online

pytestmark = pytest.mark.django_db

BATCH = "/api/v1/features/batch"


class Asked:
    """One call, and what the server was given for it."""

    def __init__(self, application: Application, path: str, body: bytes = b"", *, key: str = "") -> None:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST" if body else "GET", "PATH_INFO": path, "QUERY_STRING": "", "SCRIPT_NAME": "",
            "SERVER_NAME": "testserver", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body), "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
            **({"HTTP_AUTHORIZATION": key} if key else {}),
        }  # fmt: skip
        self.body: Iterable[bytes] = application(environ, self._start)

    def _start(self, status: str, headers: list[tuple[str, str]], error: object = None) -> Callable[[bytes], object]:
        self.status, self.headers = status, dict(headers)
        return lambda _: None


@pytest.fixture
def key() -> str:
    return str(client_of(make_user("reader", Role.VIEWER)).defaults["HTTP_AUTHORIZATION"])


@pytest.fixture
def batch() -> bytes:
    group = make_group()
    make_feature(group, "balance")
    put_online(group, "1", {"balance_v1": 1.5})
    return json.dumps({"entity_id": 1, "features": ["balance"]}).encode()


def test_a_call_with_a_key_goes_out_whole(key: str, batch: bytes) -> None:
    asked = Asked(Application(), BATCH, batch, key=key)
    assert (asked.status, asked.body) == ("200 OK", [b'{"entity_id":1,"features":{"balance":1.5}}'])
    assert asked.headers["Content-Length"] == "42"


def test_errors_of_calls_with_a_key_go_out_whole_too(batch: bytes) -> None:
    asked = Asked(Application(), BATCH, batch, key="Token nobodys")
    assert asked.status == "401 Unauthorized"
    assert isinstance(asked.body, list)
    assert json.loads(asked.body[0])["error"]["code"] == "not_authenticated"


def test_pages_are_answered_as_django_does_it() -> None:
    asked = Asked(Application(), "/login")
    assert asked.status == "200 OK"
    assert isinstance(asked.body, HttpResponseBase)


def answering(response: HttpResponseBase, monkeypatch: pytest.MonkeyPatch) -> Application:
    application = Application()
    monkeypatch.setattr(application, "_middleware_chain", lambda _: response)
    return application


def test_what_streams_is_left_to_the_server(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    response = StreamingHttpResponse([b"a", b"b"])
    assert Asked(answering(response, monkeypatch), "/api/v1/stats", key=key).body is response


def test_what_the_request_holds_open_is_closed_and_cookies_are_set(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    response = HttpResponse(b"x")
    response.set_cookie("a", "1")
    closed = []
    monkeypatch.setattr(WSGIRequest, "close", lambda _: closed.append(True))
    asked = Asked(answering(response, monkeypatch), "/api/v1/stats", key=key)
    assert (asked.body, closed, asked.headers["Set-Cookie"]) == ([b"x"], [True], "a=1; Path=/")


def test_the_connection_is_looked_at_without_telling_everybody_of_the_request(
    key: str, batch: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, told = [], []
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: looked.append(True))

    def note(**_: object) -> None:
        told.append(True)

    for signal in (signals.request_started, signals.request_finished):
        signal.connect(note)
    try:
        Asked(Application(), BATCH, batch, key=key)
    finally:
        for signal in (signals.request_started, signals.request_finished):
            signal.disconnect(note)
    assert (looked, told) == ([True], [])


def _by_another_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_thread_that_does_not_lead_rests_when_its_answer_has_gone_out(
    key: str, batch: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = Application()
    leading = application._leading
    if leading is None:
        pytest.skip("the database is reached over a network")
    rests = []
    monkeypatch.setattr(leading, "rest", lambda: rests.append(True))
    _by_another_thread(leading.take_short)
    asked = Asked(application, BATCH, batch, key=key)
    assert (b"".join(asked.body), rests) == (b'{"entity_id":1,"features":{"balance":1.5}}', [])
    asked.body.close()  # type: ignore[attr-defined]  # a server closes what can be closed
    assert rests == [True]


@pytest.mark.parametrize(
    ("path", "body"), [("/api/v1/stats", b""), (BATCH, b"[" + b" " * 9_000 + b"]"), ("/login", b"")]
)
def test_whoever_takes_anything_else_leads_no_longer(
    key: str, path: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = answering(HttpResponse(b""), monkeypatch)
    leading = application._leading
    if leading is None:
        pytest.skip("the database is reached over a network")
    leading.take_short()
    Asked(application, path, body, key=key)
    others: list[bool] = []
    _by_another_thread(lambda: others.append(leading.take_short()))
    assert others == [True]


def test_nobody_leads_where_the_database_is_reached_over_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "postgresql")
    assert Application()._leading is None


def test_nobody_leads_where_the_rows_are_in_redis(settings: Any) -> None:
    store = settings.FEATURESTORE
    elsewhere = store.feature_store.model_copy(update={"online_store": "redis://127.0.0.1/0"})
    with override_settings(FEATURESTORE=replace(store, feature_store=elsewhere)):
        assert Application()._leading is None

"""Addresses, tokens, retries and errors: what holds for every call."""

from __future__ import annotations

import pickle
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import feature_store_client as sdk
from feature_store_client import FeatureStoreClient, RetryPolicy
from feature_store_client.retrying import may_repeat_status
from tests.client.scripted_server import Answer, ScriptedServer, error

OK = Answer(200, {"features": 3})


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("suffix", ["", "/", "/api/v1", "/api/v1/"])
def test_base_url_is_taken_with_and_without_the_api_path(server: ScriptedServer, suffix: str) -> None:
    server.script(OK)
    with FeatureStoreClient(server.url + suffix, "secret") as client:
        assert client.stats() == {"features": 3}
    assert server.asked[0].raw_path == "/api/v1/stats"


@pytest.mark.parametrize("address", ["", "localhost:8000", "ftp://host", "http://", "http://host/?a=1"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(sdk.InvalidRequestError, match="base_url"):
        FeatureStoreClient(address)


def test_the_token_is_sent_and_not_shown(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(OK)
    client.stats()
    assert server.asked[0].headers["Authorization"] == "Token secret"
    assert "secret" not in repr(client)


def test_the_token_defaults_to_the_environment(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEATURESTORE_TOKEN", "from-environment\n")
    server.script(OK)
    with FeatureStoreClient(server.url) as client:
        client.stats()
    assert server.asked[0].headers["Authorization"] == "Token from-environment"


def test_netrc_credentials_take_no_part(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("FEATURESTORE_TOKEN", raising=False)
    server.script(OK)
    for token in ("secret", None):
        with FeatureStoreClient(server.url, token) as client:
            client.stats()
    assert server.asked[0].headers["Authorization"] == "Token secret"
    assert "Authorization" not in server.asked[1].headers


def test_a_token_with_line_breaks_inside_is_refused() -> None:
    with pytest.raises(sdk.InvalidRequestError, match="token"):
        FeatureStoreClient("http://localhost", "one\ntwo")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "invalid_input"), sdk.InvalidRequestError),
        (error(401, "not_authenticated"), sdk.AuthenticationError),
        (error(403, "permission_denied"), sdk.PermissionDeniedError),
        (error(404, "not_found"), sdk.NotFoundError),
        (error(404, "unknown_feature"), sdk.FeatureNotFoundError),
        (error(404, "unknown_entity"), sdk.EntityNotFoundError),
        (error(405, "method_not_allowed"), sdk.InvalidRequestError),
        (error(409, "conflict"), sdk.ConflictError),
        (error(413, "too_large"), sdk.RequestTooLargeError),
        (error(429, "throttled"), sdk.RateLimitedError),
        (error(500, "error"), sdk.ServerError),
        (error(503, "unavailable"), sdk.ServerUnavailableError),
    ],
)
def test_every_error_answer_has_its_exception(
    client: FeatureStoreClient, server: ScriptedServer, answer: Answer, kind: type[sdk.FeatureStoreClientError]
) -> None:
    server.script(answer)
    with pytest.raises(sdk.FeatureStoreClientError) as raised:
        client.stats()
    assert type(raised.value) is kind
    assert (raised.value.status, raised.value.code) == (answer.status, answer.body["error"]["code"])
    assert raised.value.message == "no"


def test_an_unknown_feature_names_the_nearest(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(error(404, "unknown_feature", "no feature balance_men", nearest=["balance_mean", "balance_std"]))
    with pytest.raises(sdk.FeatureNotFoundError, match=r"balance_mean, balance_std") as raised:
        client.get_feature("balance_men", "1")
    assert raised.value.nearest == ["balance_mean", "balance_std"]


def test_errors_travel_between_processes() -> None:
    one = sdk.FeatureNotFoundError("gone", code="unknown_feature", status=404, details={"nearest": ["a"]})
    other = pickle.loads(pickle.dumps(one))
    assert (str(other), other.status, other.nearest) == ("gone", 404, ["a"])


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(200, b"<html>", content_type="text/html"), sdk.UnexpectedResponseError, "JSON was expected"),
        (Answer(200, b"[1]"), sdk.UnexpectedResponseError, "JSON list"),
        (Answer(404, b"<html>", content_type="text/html"), sdk.UnexpectedResponseError, "base_url"),
        (Answer(413, b"<html>", content_type="text/html"), sdk.RequestTooLargeError, "413"),
        (Answer(500, b"oh", content_type="text/plain"), sdk.ServerError, "oh"),
        (Answer(302, b"", {"Location": "https://x/"}), sdk.UnexpectedResponseError, "redirects to https://x/"),
    ],
)
def test_answers_of_something_else_say_so(
    client: FeatureStoreClient,
    server: ScriptedServer,
    answer: Answer,
    kind: type[sdk.FeatureStoreClientError],
    words: str,
) -> None:
    server.script(answer)
    with pytest.raises(kind, match=words):
        client.stats()
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_reads_are_repeated_until_it_heals(client: FeatureStoreClient, server: ScriptedServer, status: int) -> None:
    server.script(Answer(status, b"", content_type="text/html"), Answer(status), OK)
    assert client.stats() == {"features": 3}
    assert len(server.asked) == 3


def test_the_number_of_retries_is_bounded(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(error(503, "unavailable", "database is down"))
    with pytest.raises(sdk.ServerUnavailableError, match="database is down"):
        client.stats()
    assert len(server.asked) == 4


@pytest.mark.parametrize("drop", [0, 5])
def test_reads_are_repeated_after_a_broken_connection(
    client: FeatureStoreClient, server: ScriptedServer, drop: int
) -> None:
    server.script(Answer(200, {"features": 3}, drop=drop), OK)
    assert client.stats() == {"features": 3}
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (0, "broke off before its answer came, so whether the request was carried out is not known"),
        (5, "broke off before its end, so nothing of it is given"),
    ],
)
def test_a_connection_that_breaks_off_says_how_far_it_came(server: ScriptedServer, drop: int, words: str) -> None:
    server.script(Answer(200, {"features": 3}, drop=drop))
    with (
        FeatureStoreClient(server.url, "secret", retries=0) as client,
        pytest.raises(sdk.ServerUnavailableError, match=words) as raised,
    ):
        client.stats()
    assert (raised.value.code, raised.value.status) == ("connection_failed", None)


def test_posted_reads_are_repeated_with_the_same_body(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(502), Answer(200, {"entity_id": 1, "features": {"a": 2}}))
    assert client.get_features(1, feature_names=["a"])["a"] == 2
    assert server.asked[0].body == server.asked[1].body != b""


def test_commands_are_not_repeated_once_they_may_have_begun(client: FeatureStoreClient, server: ScriptedServer) -> None:
    for answer in (Answer(502), Answer(200, {"runs": []}, drop=0)):
        server.asked.clear()
        server.script(answer, Answer(202, {"runs": []}))
        with pytest.raises(sdk.ServerUnavailableError):
            client.refresh()
        assert len(server.asked) == 1


def test_commands_are_repeated_when_the_server_turned_them_away(
    client: FeatureStoreClient, server: ScriptedServer
) -> None:
    server.script(error(503, "unavailable"), error(429, "throttled"), Answer(202, {"runs": []}))
    assert client.refresh() == []
    assert len(server.asked) == 3
    assert not may_repeat_status(504, idempotent=False)


def test_commands_are_repeated_when_they_never_left() -> None:
    started = time.monotonic()
    policy = RetryPolicy(retries=2, backoff=0.2)
    with (
        FeatureStoreClient(f"http://127.0.0.1:{closed_port()}", "secret", retries=policy) as client,
        pytest.raises(sdk.ServerUnavailableError, match="no connection") as raised,
    ):
        client.refresh()
    assert raised.value.status is None
    assert raised.value.code == "connection_failed"
    assert time.monotonic() - started >= 0.3  # half of 0.2 and of 0.4, the least that the jitter leaves


def test_retry_after_is_waited_out(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(429, b"", {"Retry-After": "1"}), OK)
    started = time.monotonic()
    client.stats()
    assert time.monotonic() - started >= 1


def test_a_retry_after_that_is_too_long_ends_the_call(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(
        Answer(429, {"error": {"code": "throttled", "message": "slow", "details": {}}}, {"Retry-After": "3600"})
    )
    with pytest.raises(sdk.RateLimitedError) as raised:
        client.stats()
    assert raised.value.retry_after == 3600
    assert len(server.asked) == 1


@pytest.mark.parametrize("said", [b"", b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"fea'])
def test_a_server_that_falls_silent_times_out_without_being_asked_again(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with FeatureStoreClient(address, "secret", timeout=0.2) as client:
            asking = pool.submit(client.stats)
            connection, _ = silent.accept()
            with connection:
                connection.sendall(said)
                with pytest.raises(sdk.ServerUnavailableError, match="did not answer in time") as raised:
                    asking.result()
        assert raised.value.code == "timeout"
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_one_client_serves_many_threads(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, {"features": 3}, {"Set-Cookie": "a=b"}))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.stats(), range(200)))
    assert answers == [{"features": 3}] * 200
    assert len(server.asked) == 200
    assert not any("Cookie" in asked.headers for asked in server.asked)

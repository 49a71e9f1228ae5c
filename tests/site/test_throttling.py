"""The limit of requests per minute, and the buckets behind it."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from featurestore_site import token_buckets
from featurestore_site.configuration import Configuration
from featurestore_site.throttling import RequestsPerMinute
from featurestore_site.token_buckets import Buckets, ProcessBuckets, RedisBuckets
from tests.services.servers import REDIS

LIMIT = 10
START = 1_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now: float = START

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> Clock:
    limiting = configuration.security.rate_limiting.model_copy(update={"enabled": True, "requests_per_minute": LIMIT})
    security = configuration.security.model_copy(update={"rate_limiting": limiting})
    monkeypatch.setattr(django_settings, "FEATURESTORE", dataclasses.replace(configuration, security=security))
    clock = Clock()
    monkeypatch.setattr(token_buckets, "time", clock)
    monkeypatch.setattr(token_buckets, "_of_this_process", ProcessBuckets())
    return clock


def ask(address: str = "192.0.2.1") -> tuple[bool, float | None]:
    request = Request(APIRequestFactory().get("/", REMOTE_ADDR=address))
    request.user = AnonymousUser()
    throttle = RequestsPerMinute()
    return throttle.allow_request(request, APIView()), throttle.wait()


def test_one_more_than_the_limit_is_refused(clock: Clock) -> None:
    assert [ask()[0] for _ in range(LIMIT + 1)] == [True] * LIMIT + [False]
    assert ask() == (False, pytest.approx(6.0))


def test_callers_have_limits_of_their_own(clock: Clock) -> None:
    for _ in range(LIMIT):
        ask("192.0.2.1")
    assert (ask("192.0.2.1")[0], ask("192.0.2.2")[0]) == (False, True)


def test_the_bucket_fills_again_evenly(clock: Clock) -> None:
    assert all(ask()[0] for _ in range(LIMIT))
    clock.now += 12  # a fifth of a minute: a fifth of the ten
    assert [ask()[0] for _ in range(3)] == [True, True, False]
    clock.now += 600  # it never holds more than a minute's
    assert [ask()[0] for _ in range(LIMIT + 1)] == [True] * LIMIT + [False]


def test_without_a_limit_nothing_is_counted(clock: Clock, configuration: Configuration) -> None:
    limiting = configuration.security.rate_limiting.model_copy(update={"enabled": False})
    security = configuration.security.model_copy(update={"rate_limiting": limiting})
    django_settings.FEATURESTORE = dataclasses.replace(configuration, security=security)
    assert all(ask()[0] for _ in range(3 * LIMIT))


@given(pauses=st.lists(st.floats(0, 20), min_size=1, max_size=60), limit=st.integers(1, 20))
def test_after_the_wait_there_is_room_and_not_before(pauses: list[float], limit: int) -> None:
    clock, every = Clock(), 60 / limit
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(token_buckets, "time", clock)
        buckets = ProcessBuckets()
        for pause in pauses:
            clock.now += pause
            wait = buckets.take("a", every=every, room=60)
            if wait is not None:
                clock.now += wait * 0.99 - 1e-5
                assert buckets.take("a", every=every, room=60) is not None
                clock.now += wait * 0.01 + 2e-5
                assert buckets.take("a", every=every, room=60) is None


def test_full_buckets_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_buckets, "_MOST_KEPT", 3)
    buckets = ProcessBuckets()
    for number in range(3):
        buckets.take(f"early {number}", every=1, room=60)
    clock.now += 2
    buckets.take("late", every=1, room=60)
    assert set(buckets._full_at) == {"late"}


def test_threads_take_no_request_twice() -> None:
    buckets, allowed = ProcessBuckets(), []

    def take() -> None:
        allowed.extend(buckets.take("a", every=60, room=60 * 200) is None for _ in range(100))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 200


@pytest.fixture
def shared() -> Iterator[tuple[Buckets, str]]:
    REDIS.needed()
    client = redis.Redis.from_url(REDIS.url)
    name = f"test:{uuid.uuid4().hex}"
    yield RedisBuckets(client), name
    client.delete(f"{token_buckets.PREFIX}:{name}")


@pytest.mark.services
def test_processes_share_a_bucket_in_redis(shared: tuple[Buckets, str]) -> None:
    first, name = shared
    second = RedisBuckets(redis.Redis.from_url(REDIS.url))
    took = [buckets.take(name, every=60, room=240) for buckets in (first, second, first, second)]
    assert took == [None] * 4
    wait = second.take(name, every=60, room=240)
    assert wait is not None
    assert 50 < wait <= 60
    assert 200 < redis.Redis.from_url(REDIS.url).ttl(f"{token_buckets.PREFIX}:{name}") <= 240


def test_while_redis_is_away_each_process_counts() -> None:
    buckets = RedisBuckets(redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2))
    assert [buckets.take("a", every=60, room=60) is None for _ in range(2)] == [True, False]

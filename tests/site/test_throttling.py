"""The limit of requests per minute."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from featurestore_site import throttling
from featurestore_site.configuration import Configuration
from featurestore_site.throttling import WINDOW, RequestsPerMinute

LIMIT = 10
START = 1_000_000 * WINDOW


class Clock:
    def __init__(self) -> None:
        self.now: float = START

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    limiting = configuration.security.rate_limiting.model_copy(update={"enabled": True, "requests_per_minute": LIMIT})
    security = configuration.security.model_copy(update={"rate_limiting": limiting})
    monkeypatch.setattr(django_settings, "FEATURESTORE", dataclasses.replace(configuration, security=security))
    clock = Clock()
    monkeypatch.setattr(throttling, "time", clock)
    cache.clear()
    yield clock
    cache.clear()


def ask(address: str = "192.0.2.1") -> tuple[bool, float | None]:
    request = Request(APIRequestFactory().get("/", REMOTE_ADDR=address))
    request.user = AnonymousUser()
    throttle = RequestsPerMinute()
    return throttle.allow_request(request, APIView()), throttle.wait()


def test_one_more_than_the_limit_is_refused(clock: Clock) -> None:
    assert [ask()[0] for _ in range(LIMIT + 1)] == [True] * LIMIT + [False]


def test_callers_have_limits_of_their_own(clock: Clock) -> None:
    for _ in range(LIMIT):
        ask("192.0.2.1")
    assert (ask("192.0.2.1")[0], ask("192.0.2.2")[0]) == (False, True)


def test_a_new_minute_does_not_forget_the_one_before(clock: Clock) -> None:
    clock.now = START + WINDOW - 1
    assert all(ask()[0] for _ in range(LIMIT))
    clock.now = START + WINDOW + 1
    assert ask()[0] is True  # 1/60 of the earlier ten has gone, which leaves room for one
    assert ask()[0] is False


def test_without_a_limit_nothing_is_counted(clock: Clock, configuration: Configuration) -> None:
    limiting = configuration.security.rate_limiting.model_copy(update={"enabled": False})
    security = configuration.security.model_copy(update={"rate_limiting": limiting})
    django_settings.FEATURESTORE = dataclasses.replace(configuration, security=security)
    assert all(ask()[0] for _ in range(3 * LIMIT))


@given(current=st.integers(0, 30), before=st.integers(0, 30), into=st.floats(0, 59.9), limit=st.integers(1, 20))
def test_after_the_wait_there_is_room(current: int, before: int, into: float, limit: int) -> None:
    used = current + before * (1 - into / WINDOW)
    if used < limit:
        return
    wait = throttling._wait(current, before, into, limit)
    later = into + wait + 1e-6
    if later < WINDOW:
        left = current + before * (1 - later / WINDOW)
    else:
        left = current * max(1 - (later - WINDOW) / WINDOW, 0)
    assert left < limit

"""Failed sign-ins are limited by name and address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from featurestore_site import sign_in_limit

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self) -> None:
        self.now: float = 1_000_000 * sign_in_limit.WINDOW + 60

    def time(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(sign_in_limit, "time", clock)
    cache.clear()
    User.objects.create_user("ada", password="right", is_staff=True, is_superuser=True)
    yield clock
    cache.clear()


def sign_in(path: str, password: str, *, name: str = "ada", address: str = "192.0.2.1") -> tuple[int, str | None]:
    answer = Client().post(path, {"username": name, "password": password}, REMOTE_ADDR=address)
    return answer.status_code, answer.headers.get("Retry-After")


@pytest.mark.parametrize("path", ["/login", "/admin/login/"])
def test_after_ten_failures_not_even_the_right_password_is_tried(path: str, clock: Clock) -> None:
    assert [sign_in(path, "wrong") for _ in range(10)] == [(200, None)] * 10
    assert sign_in(path, "wrong") == (429, "240")
    assert sign_in(path, "right") == (429, "240")
    assert sign_in(path, "right", address="192.0.2.2")[0] == 302
    assert sign_in(path, "wrong", name="eve")[0] == 200
    clock.now += 240
    assert sign_in(path, "right")[0] == 302


def test_both_pages_count_together_and_success_begins_anew() -> None:
    for _ in range(9):
        assert sign_in("/login", "wrong")[0] == 200
    assert sign_in("/admin/login/", "right")[0] == 302
    assert [sign_in("/login", "wrong")[0] for _ in range(11)] == [200] * 10 + [429]
    assert sign_in("/admin/login/", "right")[0] == 429


def test_many_names_from_one_address() -> None:
    for number in range(sign_in_limit.PER_ADDRESS):
        assert sign_in("/login", "wrong", name=f"name{number}")[0] == 200
    assert sign_in("/login", "right")[0] == 429


def test_signing_in_rightly_is_never_too_often() -> None:
    assert {sign_in("/login", "right")[0] for _ in range(30)} == {302}

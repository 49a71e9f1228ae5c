"""GET health."""

from __future__ import annotations

import pytest
from django.test import Client

from ingestion import health
from ingestion.health import Check, CheckState, Health
from tests.api.asking import ask

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_kept", health._Kept())


def test_healthy_without_a_token() -> None:
    status, body = ask(Client(), "health")
    assert (status, body["status"]) == (200, "healthy")
    assert body["checks"]["database"] == {"state": "pass", "message": ""}
    assert set(body) == {"status", "checks"}


def test_unhealthy_is_503_with_the_same_body(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Health({"database": Check(CheckState.FAIL, "the database does not answer")})
    monkeypatch.setattr(health, "store_health", lambda: broken)
    assert ask(Client(), "health") == (
        503,
        {
            "status": "unhealthy",
            "checks": {"database": {"state": "fail", "message": "the database does not answer"}},
        },
    )


def test_a_wrong_token_does_not_matter() -> None:
    assert ask(Client(headers={"authorization": "Token nonsense"}), "health")[0] == 200

"""Who is let in, and for what."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from catalog.access import Capability, Role
from catalog.actor import acting, current_actor
from catalog.clock import now
from featurestore_site.configuration import Configuration
from serving.authentication import TokenAuthentication
from serving.models import ApiToken
from serving.permissions import HasCapability
from serving.tokens import issue_token, revoke_token
from tests.stocked_store import make_feature, make_group, make_user, put_online

pytestmark = pytest.mark.django_db

PATH = "/api/v1/features/balance_mean/entity/1"
BATCH = "/api/v1/features/batch"


@pytest.fixture(autouse=True)
def value() -> None:
    group = make_group()
    make_feature(group, "balance_mean")
    put_online(group, "1", {"balance_mean_v1": 1.0})


@pytest.fixture
def reader() -> User:
    return make_user("reader", Role.VIEWER)


def status(authorization: str | None, **headers: str) -> int:
    if authorization is not None:
        headers["authorization"] = authorization
    return Client().get(PATH, headers=headers).status_code


def refusal(authorization: str) -> str:
    response = Client().get(PATH, headers={"authorization": authorization})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")
    error = response.json()["error"]
    assert error["code"] == "not_authenticated"
    return error["message"]


def test_a_token_opens_in_either_header(reader: User) -> None:
    key = issue_token(user=reader, name="mine", scopes=["read"]).key
    assert status(f"Token {key}") == 200
    assert status(f"token {key}") == 200
    assert status(None, **{"x-api-key": key}) == 200
    assert status(f"Bearer {key}") == 401
    assert status(key) == 401


@pytest.mark.parametrize("authorization", ["Token", "Token fs_unknown", "Token a b", "Token \u00e9"])
def test_a_wrong_key_does_not(authorization: str) -> None:
    refusal(authorization)


def test_a_token_that_ended_says_why(reader: User) -> None:
    issued = issue_token(user=reader, name="mine", scopes=["read"], expires_at=now() + timedelta(hours=1))
    assert status(f"Token {issued.key}") == 200
    ApiToken.objects.update(expires_at=now())
    assert "expired" in refusal(f"Token {issued.key}")
    ApiToken.objects.update(expires_at=None)
    assert revoke_token(issued.token)
    assert "revoked" in refusal(f"Token {issued.key}")


def test_a_user_who_left_is_refused(reader: User) -> None:
    key = issue_token(user=reader, name="mine", scopes=["read"]).key
    reader.is_active = False
    reader.save()
    assert "no longer active" in refusal(f"Token {key}")


def test_the_use_of_a_token_is_noted_once_in_a_while(reader: User) -> None:
    issued = issue_token(user=reader, name="mine", scopes=["read"])
    status(f"Token {issued.key}")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    status(f"Token {issued.key}")
    assert ApiToken.objects.get().last_used_at == first


def test_reading_needs_the_read_scope(reader: User) -> None:
    key = issue_token(user=reader, name="writer", scopes=["write"]).key
    response = Client().get(PATH, headers={"authorization": f"Token {key}"})
    assert response.status_code == 403
    assert "scope read" in response.json()["error"]["message"]


def test_a_signed_in_person_reads_too_but_posts_with_the_csrf_token(reader: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(reader)
    assert client.get(PATH).status_code == 200
    body = {"entity_id": 1, "features": ["balance_mean"]}
    assert client.post(BATCH, body, content_type="application/json").status_code == 403
    client.get("/login")
    client.cookies["csrftoken"] = "a" * 32
    answer = client.post(BATCH, body, content_type="application/json", headers={"x-csrftoken": "a" * 32})
    assert answer.status_code == 200


def test_without_authentication_anyone_reads_what_a_viewer_may(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    assert status(None) == 401
    base: Configuration = settings.FEATURESTORE
    security = base.security.model_copy(update={"api_authentication": False})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(base, security=security))
    assert status(None) == 200
    people = make_group("people", sensitivity="personal")
    make_feature(people, "surname", "string")
    put_online(people, "1", {"surname_v1": "Novák"})
    answer = Client().get("/api/v1/features/surname/entity/1").json()
    assert (answer["value"], answer["status"]) == (None, "MASKED")


class Editing(APIView):
    """A view that modifies."""

    required_capability = {"create": Capability.RUN_INGESTION, "preview": Capability.SEE_METADATA}
    reading_actions = frozenset({"preview"})
    action = "create"


def allowed(user: Any, scopes: list[str] | None, action: str = "create") -> bool:
    request = Request(APIRequestFactory().post("/"))
    request.user = user
    request.auth = None if scopes is None else ApiToken(user=user, scopes=scopes)
    view = Editing()
    view.action = action
    return HasCapability().has_permission(request, view)


def test_modifying_needs_the_capability_and_the_write_scope(reader: User) -> None:
    engineer = make_user("engineer", Role.DATA_ENGINEER)
    assert allowed(engineer, ["read", "write"])
    assert allowed(engineer, None)
    assert not allowed(engineer, ["read"])
    assert not allowed(reader, ["read", "write"])
    assert not allowed(AnonymousUser(), None)
    assert not allowed(engineer, ["write"], "undeclared")
    assert allowed(reader, ["read"], "preview")


def test_the_holder_of_a_token_is_the_actor(reader: User) -> None:
    key = issue_token(user=reader, name="mine", scopes=["read"]).key
    request = Request(APIRequestFactory().get("/", headers={"authorization": f"Token {key}"}))
    with acting(None, "anonymous", "request-7"):
        TokenAuthentication().authenticate(request)
        actor = current_actor()
        assert (actor.name, actor.user_id, actor.request_id) == ("reader", reader.pk, "request-7")
    assert current_actor().name == "system"

"""My tokens: one's own, made with their key shown once, revoked for good."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog.access import Role
from catalog.clock import now
from catalog.models import AuditEvent
from serving.models import ApiToken
from serving.tokens import digest_of, issue_token
from tests.stocked_store import make_user

PAGE = "/me/tokens/"
KEY = re.compile(r"fs_[\w-]{40}")

pytestmark = pytest.mark.django_db


@pytest.fixture
def sara() -> User:
    return make_user("sara", Role.DATA_SCIENTIST)


@pytest.fixture
def client(sara: User) -> Client:
    client = Client()
    client.force_login(sara)
    return client


def test_strangers_sign_in_first() -> None:
    answer = Client().get(PAGE)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={PAGE}")
    assert Client().post(PAGE, {"name": "mine", "scopes": ["read"]}).status_code == 302
    assert not ApiToken.objects.exists()


def test_people_without_a_role_make_none() -> None:
    client = Client()
    client.force_login(make_user("stig"))

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"name": "mine", "scopes": ["read"]}).status_code == 403
    assert not ApiToken.objects.exists()


def test_without_tokens_the_page_says_so(client: Client) -> None:
    answer = client.get(PAGE)

    assert answer.status_code == 200
    assert "You have no token yet" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_new_token_shows_its_key_once(client: Client, sara: User) -> None:
    last_day = (now() + timedelta(days=30)).date()

    answer = client.post(PAGE, {"name": " churn model ", "scopes": ["read", "write"], "last_day": last_day.isoformat()})

    token = ApiToken.objects.get()
    [key] = set(KEY.findall(answer.content.decode()))
    assert answer.status_code == 200
    assert (token.user, token.name, token.scopes, token.digest) == (
        sara,
        "churn model",
        ["read", "write"],
        digest_of(key),
    )
    assert token.expires_at == datetime(last_day.year, last_day.month, last_day.day, 23, 59, 59, 999999, tzinfo=UTC)
    again = client.get(PAGE).content.decode()
    assert token.prefix in again
    assert key not in again
    assert token.digest not in again


def test_the_key_opens_the_api(client: Client) -> None:
    page = client.post(PAGE, {"name": "churn model", "scopes": ["read"], "last_day": ""}).content.decode()

    key = KEY.findall(page)[0]
    assert ApiToken.objects.get().expires_at is None
    opened = Client(headers={"authorization": f"Token {key}"}).get("/api/v1/metadata/features")
    assert opened.status_code == 200


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"name": "", "scopes": ["read"]}, "This field is required"),
        ({"name": "x" * 101, "scopes": ["read"]}, "at most 100 characters"),
        ({"name": "mine"}, "This field is required"),
        ({"name": "mine", "scopes": ["everything"]}, "not one of the available choices"),
        ({"name": "mine", "scopes": ["read"], "last_day": "2020-01-01"}, "That day is past"),
        ({"name": "mine", "scopes": ["read"], "last_day": "soon"}, "Enter a valid date"),
    ],
)
def test_what_is_refused_is_said(form: dict[str, object], told: str, client: Client) -> None:
    answer = client.post(PAGE, form)

    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_revoking_ends_a_token(client: Client, sara: User) -> None:
    token = issue_token(user=sara, name="old", scopes=["read"]).token

    page = client.post(f"{PAGE}{token.pk}/revoke", follow=True)
    client.post(f"{PAGE}{token.pk}/revoke")

    token.refresh_from_db()
    assert token.revoked_at is not None
    assert "The token old is revoked" in page.content.decode()
    assert AuditEvent.objects.filter(action="revoke token", actor="sara").count() == 1


def test_tokens_of_others_are_neither_seen_nor_revoked(client: Client) -> None:
    token = issue_token(user=make_user("vera", Role.VIEWER), name="of vera", scopes=["read"]).token

    assert "of vera" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}{token.pk}/revoke").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_a_form_from_elsewhere_is_refused(sara: User) -> None:
    token = issue_token(user=sara, name="old", scopes=["read"]).token
    client = Client(enforce_csrf_checks=True)
    client.force_login(sara)

    assert client.post(PAGE, {"name": "mine", "scopes": ["read"]}).status_code == 403
    assert client.post(f"{PAGE}{token.pk}/revoke").status_code == 403
    assert client.get(f"{PAGE}{token.pk}/revoke").status_code == 405
    assert ApiToken.objects.filter(revoked_at=None).count() == 1


def test_queries_do_not_grow_with_tokens(client: Client, sara: User, django_assert_max_num_queries: object) -> None:
    for number in range(30):
        issue_token(user=sara, name=f"token {number}", scopes=["read"])

    with django_assert_max_num_queries(6):  # type: ignore[operator]  # a fixture of pytest-django
        page = client.get(PAGE).content.decode()

    assert page.count("Revoke token ") == 25
    assert "1–25 of 30 tokens" in page

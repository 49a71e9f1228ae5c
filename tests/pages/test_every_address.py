"""Every address of the site, as each role and as a stranger: nobody gets what is not theirs, and nothing breaks."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from catalog.access import Role
from catalog.journal import write_entry
from catalog.models import FeatureGroup, FeatureService
from ingestion.models import IngestionRun
from tests import stocked_store as store
from tests.pages.filled import fill, signed_in

# The admin has a test of its own (tests/admin/test_every_page.py), and so has the API (tests/api/test_error_shape.py);
# the address that Feast's clients ask is part of it.
ELSEWHERE = ("admin/", "api/", "static/", "get-online-features")
# What must answer without an account.
PUBLIC = {"login", "logout"}
BY_ROUTE = {"features/": "finance_f0", "groups/": "finance", "services/": "finance_model", "entities/": "customer"}

pytestmark = pytest.mark.django_db


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        else:
            yield route, entry


ROUTES = {
    route: pattern
    for route, pattern in patterns(get_resolver())
    if not route.startswith(ELSEWHERE) and not route.startswith("^")
}


def address_of(route: str, pattern: URLPattern) -> str:
    """The route with something that is there in every place: a feature, a group, a run."""
    values: dict[str, Any] = {}
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__
        if kind == "UUIDConverter":
            run = IngestionRun.objects.filter(group__name="finance").earliest("created_at").pk
            values[name] = run if route.startswith("runs/") else uuid.UUID(int=7)
        elif kind == "IntConverter":
            values[name] = 1
        else:
            values[name] = next((value for start, value in BY_ROUTE.items() if route.startswith(start)), "finance")
    text = route
    for name, value in values.items():
        before, _, after = text.partition("<")
        declared, _, rest = after.partition(">")
        assert declared.rpartition(":")[2] == name
        text = f"{before}{value}{rest}"
    return f"/{text}"


def catalog() -> None:
    group = fill()
    user = store.make_user("writer", Role.STEWARD)
    write_entry(subject=group, text="A note.", writer=user)


@pytest.mark.parametrize("route", ROUTES)
def test_strangers_see_nothing(route: str, anonymous: Client) -> None:
    catalog()
    pattern = ROUTES[route]
    for ask in (anonymous.get, anonymous.post):
        answer = ask(address_of(route, pattern))
        if pattern.name in PUBLIC:
            assert answer.status_code in (200, 302, 405)
        else:
            assert answer.status_code in (301, 302, 401, 403, 404, 405), (ask, answer.status_code)
            assert "finance_f0" not in answer.content.decode().replace("/features/finance_f0", "")


@pytest.mark.parametrize("route", ROUTES)
def test_an_account_without_a_role_sees_nothing_of_the_catalog(route: str, stranger: Client) -> None:
    catalog()
    answer = stranger.get(address_of(route, ROUTES[route]))
    assert answer.status_code in (200, 301, 302, 400, 403, 404, 405)
    assert b"Money of customers" not in _body(answer)


@pytest.mark.parametrize("route", ROUTES)
def test_every_role_gets_an_answer_and_changes_nothing_by_reading(route: str) -> None:
    catalog()
    before = (FeatureGroup.objects.count(), FeatureService.objects.count(), IngestionRun.objects.count())
    address = address_of(route, ROUTES[route])

    answers = {role: signed_in(store.make_user(f"of {role.value}", role)).get(address).status_code for role in Role}

    assert set(answers.values()) <= {200, 301, 302, 400, 403, 404, 405}, answers
    assert (FeatureGroup.objects.count(), FeatureService.objects.count(), IngestionRun.objects.count()) == before


@pytest.mark.parametrize("route", ROUTES)
def test_a_viewer_cannot_change_anything_of_the_catalog(route: str, viewer: Client) -> None:
    catalog()
    before = list(FeatureGroup.objects.values()), list(FeatureService.objects.values()), IngestionRun.objects.count()

    answer = viewer.post(address_of(route, ROUTES[route]))

    assert answer.status_code in (200, 301, 302, 303, 400, 403, 404, 405, 409), answer.status_code
    assert before == (
        list(FeatureGroup.objects.values()),
        list(FeatureService.objects.values()),
        IngestionRun.objects.count(),
    )


def _body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content

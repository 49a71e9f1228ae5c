"""The page of recipes, errors and limits."""

from __future__ import annotations

import shlex
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Feature
from serving.recipes import recipes
from serving.tokens import issue_token
from tests.pages.filled import fill

pytestmark = pytest.mark.django_db
PAGE = "/api-guide/"


def test_recipes_with_ones_own_address_feature_and_scopes(viewer: Client) -> None:
    fill()
    issue_token(user=User.objects.get(username="vera"), name="notebook", scopes=["read"])

    html = viewer.get(PAGE, headers={"host": "localhost:8123"}).content.decode()

    assert "http://localhost:8123/api/v1/features/batch" in html
    assert "finance:finance_f0" in html
    assert "finance:finance_f2" in viewer.get(f"{PAGE}?feature=finance:finance_f2").content.decode()
    assert "<strong>notebook</strong>" in html
    assert html.count("none of yours has it") == 3
    assert html.count("your role does not give it") == 2
    assert "<code>unknown_feature</code>" in html
    assert 'href="/api/v1/docs"' in html
    assert "10,000" in html


def test_who_may_open_it(viewer: Client, stranger: Client, anonymous: Client) -> None:
    assert viewer.get(PAGE).status_code == 200  # an empty store has its recipes too
    assert stranger.get(PAGE).status_code == 403
    assert anonymous.get(PAGE)["Location"].startswith("/login?next=/api-guide/")


def test_what_is_hidden_is_no_example(viewer: Client) -> None:
    fill()
    Feature.objects.update(status="archived")
    html = viewer.get(f"{PAGE}?feature=finance:finance_f0").content.decode()
    assert "finance_f0" not in html


def test_few_queries(viewer: Client) -> None:
    fill()
    viewer.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        viewer.get(PAGE)
    assert len(queries) <= 6


def test_recipes_are_shell() -> None:
    for recipe in recipes(
        base_url="http://s", feature="g:f", entity_key={"bank": "A", "number": "1"}, day=date(2026, 1, 2)
    ):
        words = shlex.split(recipe.code.replace("\\\n", " "))
        assert words[0] == "curl"
        assert any(word.startswith("http://s/api/v1/") for word in words)

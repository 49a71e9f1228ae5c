"""GET metadata/features/search."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureGroup
from tests.api.asking import ask, caller, error_of
from tests.api.described_catalog import tag
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def features() -> None:
    group = make_group("finance")
    tag(make_feature(group, "balance"), "financial", "risk")
    tag(make_feature(group, "balance_mean"), "financial")
    tag(make_feature(group, "score"), "risk")


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


def found(client: Client, **parameters: Any) -> list[str]:
    status, body = ask(client, "metadata/features/search", **parameters)
    assert status == 200
    assert set(body) == {"count", "next", "previous", "results", "did_you_mean"}
    return [entry["name"] for entry in body["results"]]


def test_any_of_the_tags_or_all(viewer: Client) -> None:
    assert found(viewer, tags="financial,risk") == ["balance", "balance_mean", "score"]
    assert found(viewer, tags="financial,risk", match="all") == ["balance"]
    assert found(viewer, tags="Financial", match="any") == ["balance", "balance_mean"]


def test_ranked_by_words(viewer: Client) -> None:
    assert found(viewer, q="balance") == ["balance", "balance_mean"]
    assert found(viewer, q="mean balance") == ["balance_mean"]
    assert found(viewer, q="risk", tags="financial") == ["balance"]


def test_what_was_meant(viewer: Client) -> None:
    body = ask(viewer, "metadata/features/search", q="balence")[1]
    assert (body["count"], body["did_you_mean"][0]) == (0, "balance")


def test_wrong_searches(viewer: Client) -> None:
    for parameters in ({}, {"q": " "}, {"tags": ","}, {"q": "a", "match": "some"}, {"q": "x" * 501}, {"q": "a\0"}):
        assert error_of(ask(viewer, "metadata/features/search", **parameters)) == (400, "invalid_input")
    assert error_of(ask(viewer, "metadata/features/search", tag="risk")) == (400, "invalid_input")


def test_who_may_search(viewer: Client) -> None:
    FeatureGroup.objects.update(status="archived")
    assert found(viewer, q="balance") == []
    assert found(caller(Role.STEWARD), q="balance") == ["balance", "balance_mean"]
    assert error_of(ask(Client(), "metadata/features/search", q="balance")) == (401, "not_authenticated")

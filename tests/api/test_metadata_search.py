"""GET metadata/features/search."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureGroup
from tests.api.asking import ask, caller, error_of, send
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
    assert set(body) == {"count", "next", "previous", "results", "did_you_mean", "read_as", "left_out"}
    return [entry["name"] for entry in body["results"]]


def test_any_of_the_tags_or_all(viewer: Client) -> None:
    assert found(viewer, tags="financial,risk") == ["balance", "balance_mean", "score"]
    assert found(viewer, tags="financial,risk", match="all") == ["balance"]
    assert found(viewer, tags="Financial", match="any") == ["balance", "balance_mean"]


def test_ranked_by_words(viewer: Client) -> None:
    assert found(viewer, q="balance") == ["balance", "balance_mean"]
    assert found(viewer, q="mean balance") == ["balance_mean"]
    assert found(viewer, q="risk", tags="financial") == ["balance"]


def test_a_slip_is_forgiven_and_told(viewer: Client) -> None:
    body = ask(viewer, "metadata/features/search", q="balence")[1]
    assert [entry["name"] for entry in body["results"]] == ["balance", "balance_mean"]
    assert (body["read_as"], body["did_you_mean"]) == ({"balence": "balance"}, ["balance"])


def test_a_word_that_nothing_has_is_left_out_and_told(viewer: Client) -> None:
    body = ask(viewer, "metadata/features/search", q="balance mean xylophone")[1]
    assert [entry["name"] for entry in body["results"]] == ["balance_mean"]
    assert body["left_out"] == ["xylophone"]


def test_tokens_and_filters_are_the_same(viewer: Client) -> None:
    assert found(viewer, q="tag:risk type:float") == ["balance", "score"]
    assert found(viewer, tag="risk", data_type="float") == ["balance", "score"]
    answer = ask(viewer, "metadata/features/search", q="tga:risk")
    assert error_of(answer) == (400, "invalid_input")
    assert "did you mean tag:" in answer[1]["error"]["message"]


def test_facets_count_what_is_found(viewer: Client) -> None:
    body = ask(viewer, "metadata/features/search", q="balance", facets="true")[1]
    assert body["facets"]["tag"] == {"financial": 2, "risk": 1}
    assert body["facets"]["group"] == {"finance": 2}


def test_what_a_saved_view_keeps_is_found_by_its_slug() -> None:
    vera, victor = caller(Role.VIEWER, "vera"), caller(Role.VIEWER, "victor")
    status, view = send(
        vera, "POST", "metadata/views", {"name": "Risk, shared", "query": "tag=risk", "is_shared": True}
    )
    assert (status, view["slug"]) == (201, "risk-shared")
    send(vera, "POST", "metadata/views", {"name": "mine", "query": "q=score"})

    assert found(victor, view="risk-shared") == ["balance", "score"]
    assert found(victor, view="risk-shared", q="balance") == ["balance"]
    assert found(vera, view="mine") == ["score"]
    assert error_of(ask(victor, "metadata/features/search", view="mine")) == (404, "not_found")
    assert error_of(send(victor, "DELETE", "metadata/views/risk-shared")) == (404, "not_found")
    assert send(vera, "DELETE", "metadata/views/risk-shared")[0] == 204
    assert error_of(ask(victor, "metadata/features", view="risk-shared")) == (404, "not_found")


def test_wrong_searches(viewer: Client) -> None:
    for parameters in ({}, {"q": " "}, {"tags": ","}, {"q": "a", "match": "some"}, {"q": "x" * 501}, {"q": "a\0"}):
        assert error_of(ask(viewer, "metadata/features/search", **parameters)) == (400, "invalid_input")
    assert error_of(ask(viewer, "metadata/features/search", tagg="risk")) == (400, "invalid_input")


def test_who_may_search(viewer: Client) -> None:
    FeatureGroup.objects.update(status="archived")
    assert found(viewer, q="balance") == []
    assert found(caller(Role.STEWARD), q="balance") == ["balance", "balance_mean"]
    assert error_of(ask(Client(), "metadata/features/search", q="balance")) == (401, "not_authenticated")

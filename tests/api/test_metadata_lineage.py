"""GET metadata/features/{ref}/lineage."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.access import Role
from tests.api.asking import ask, caller, error_of
from tests.api.described_catalog import lineage
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db
PATH = "metadata/features/balance_mean/lineage"


@pytest.fixture(autouse=True)
def feature() -> None:
    lineage(make_feature(make_group(), "balance_mean"))


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


def kinds(body: dict[str, Any]) -> list[str]:
    return sorted(node["kind"] for node in body["nodes"])


def test_from_the_raw_column_to_the_feature(viewer: Client) -> None:
    status, body = ask(viewer, PATH)
    assert (status, body["feature"], body["truncated"]) == (200, "balance_mean", False)
    assert kinds(body) == ["feature", "raw_column", "source_column"]
    named = {node["id"]: node["name"] for node in body["nodes"]}
    edges = {(named[edge["source"]], named[edge["target"]], edge["transformation"]) for edge in body["edges"]}
    assert edges == {
        ("bank.balance_mean", "facts.balance_mean", "mean"),
        ("facts.balance_mean", "customer_balance_mean_v1", "as it is"),
    }


def test_depth_and_direction(viewer: Client) -> None:
    assert kinds(ask(viewer, PATH, depth=0)[1]) == ["feature"]
    assert kinds(ask(viewer, PATH, depth=1)[1]) == ["feature", "source_column"]
    assert kinds(ask(viewer, PATH, direction="up")[1]) == ["feature", "raw_column", "source_column"]
    assert kinds(ask(viewer, PATH, direction="down")[1]) == ["feature"]


def test_wrong_questions(viewer: Client) -> None:
    for parameters in ({"depth": "-1"}, {"depth": "x"}, {"depth": 51}, {"direction": "sideways"}, {"deep": 1}):
        assert error_of(ask(viewer, PATH, **parameters)) == (400, "invalid_input")
    assert error_of(ask(viewer, "metadata/features/balance/lineage")) == (404, "unknown_feature")
    assert error_of(ask(Client(), PATH)) == (401, "not_authenticated")

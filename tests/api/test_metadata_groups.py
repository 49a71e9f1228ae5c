"""metadata/groups, metadata/entities and metadata/tags."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import AuditEvent, FeatureGroup
from tests.api.asking import ask, caller, error_of, send
from tests.api.described_catalog import tag
from tests.stocked_store import make_entity, make_feature, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def finance() -> FeatureGroup:
    group = make_group("finance", owner="risk-team")
    tag(make_feature(group, "balance_mean"), "money")
    make_group("people")
    return group


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


def test_the_groups(viewer: Client) -> None:
    status, body = ask(viewer, "metadata/groups")
    assert (status, body["count"]) == (200, 2)
    assert [(group["name"], group["feature_count"]) for group in body["results"]] == [("finance", 1), ("people", 0)]
    assert ask(viewer, "metadata/groups", owner="risk-team")[1]["count"] == 1
    assert error_of(ask(viewer, "metadata/groups", color="red")) == (400, "invalid_input")


def test_one_group(viewer: Client) -> None:
    status, body = ask(viewer, "metadata/groups/finance")
    assert (status, body["entity"], body["join_keys"], body["source_table"]) == (
        200,
        "customer",
        ["customer_id"],
        "finance",
    )
    assert body["features"] == [
        {
            "name": "balance_mean",
            "feature_id": "customer_balance_mean_v1",
            "data_type": "float",
            "version": "1.0",
            "status": "active",
            "description": "",
            "trust": {"state": "unknown", "sentence": "Not known yet: no value was ever ingested."},
        }
    ]
    assert (body["max_age"], body["max_age_seconds"]) == (None, None)


def test_an_unknown_group_names_the_nearest(viewer: Client) -> None:
    answer = ask(viewer, "metadata/groups/finanze")
    assert error_of(answer) == (404, "not_found")
    assert answer[1]["error"]["details"]["nearest"] == ["finance"]


def test_a_change_by_hand(finance: FeatureGroup) -> None:
    body = {"owner": "fraud-team", "tags": ["core"], "status": "deprecated", "status_reason": "replaced"}
    status, answer = send(caller(Role.DATA_ENGINEER), "PATCH", "metadata/groups/finance", body)
    assert (status, answer["owner"], answer["tags"], answer["status"]) == (200, "fraud-team", ["core"], "deprecated")
    assert set(AuditEvent.objects.values_list("action", flat=True)) >= {"update", "deprecate"}


def test_who_may_change(finance: FeatureGroup) -> None:
    for role in (Role.VIEWER, Role.DATA_SCIENTIST):
        answer = send(caller(role), "PATCH", "metadata/groups/finance", {"owner": "me"})
        assert error_of(answer) == (403, "permission_denied")
    finance.refresh_from_db()
    assert finance.owner == "risk-team"


def test_who_sees_archived_groups(viewer: Client, finance: FeatureGroup) -> None:
    FeatureGroup.objects.filter(name="finance").update(status="archived")
    assert ask(viewer, "metadata/groups")[1]["count"] == 1
    assert error_of(ask(viewer, "metadata/groups/finance")) == (404, "not_found")
    assert ask(caller(Role.STEWARD), "metadata/groups/finance")[1]["status"] == "archived"


def test_entities_and_tags(viewer: Client) -> None:
    make_entity("branch", ("bank", "branch_id"))
    status, body = ask(viewer, "metadata/entities")
    assert status == 200
    assert body["results"] == [
        {"name": "branch", "description": "", "join_keys": ["bank", "branch_id"], "group_count": 0, "feature_count": 0},
        {"name": "customer", "description": "", "join_keys": ["customer_id"], "group_count": 2, "feature_count": 1},
    ]
    assert ask(viewer, "metadata/tags")[1]["results"] == [{"name": "money", "feature_count": 1}]
    for path in ("metadata/groups", "metadata/entities", "metadata/tags"):
        assert error_of(ask(Client(), path)) == (401, "not_authenticated")

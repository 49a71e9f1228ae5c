"""metadata/services."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import AuditEvent, FeatureService, FeatureVersion
from tests.api.asking import ask, caller, error_of, send
from tests.stocked_store import make_feature, make_group, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def balance() -> FeatureVersion:
    group = make_group("finance")
    make_feature(group, "age_mean", "integer")
    return make_feature(group, "balance_mean")


@pytest.fixture
def scientist() -> Client:
    return caller(Role.DATA_SCIENTIST)


def pinned(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [f"{member['name']}@{member['version']}" for member in answer["features"]]


def test_made_read_changed_and_removed(scientist: Client, balance: FeatureVersion) -> None:
    body = {"name": "churn_model", "owner": "ml", "features": ["balance_mean", "finance:age_mean@1"]}
    status, made = send(scientist, "POST", "metadata/services", body)
    assert (status, made["name"], made["owner"], made["declared"]) == (201, "churn_model", "ml", False)
    assert pinned(made) == ["balance_mean@1.0", "age_mean@1.0"]
    assert ask(scientist, "metadata/services/churn_model") == (200, made)
    [listed] = ask(scientist, "metadata/services")[1]["results"]
    assert (listed["name"], pinned(listed), listed["url"]) == (made["name"], pinned(made), made["url"])

    FeatureVersion.objects.create(feature=balance.feature, major=2, minor=0, data_type="float")
    status, changed = send(scientist, "PUT", "metadata/services/churn_model", {"features": ["balance_mean@2"]})
    assert (status, pinned(changed), changed["owner"]) == (200, ["balance_mean@2.0"], "")

    assert send(scientist, "DELETE", "metadata/services/churn_model") == (204, None)
    assert error_of(ask(scientist, "metadata/services/churn_model")) == (404, "not_found")
    events = AuditEvent.objects.filter(object_type="featureservice").order_by("id")
    assert [event.action for event in events] == ["create", "update", "delete"]
    assert events[1].before["members"] == ["customer_balance_mean_v1 1.0", "customer_age_mean_v1 1.0"]
    assert {event.actor for event in events} == {"some-data-scientist"}


def test_a_taken_name_is_a_conflict(scientist: Client, balance: FeatureVersion) -> None:
    make_service("churn_model", balance)
    answer = send(scientist, "POST", "metadata/services", {"name": "churn_model", "features": ["age_mean"]})
    assert error_of(answer) == (409, "conflict")
    assert FeatureService.objects.count() == 1


def test_what_the_configuration_keeps_is_changed_there(scientist: Client, balance: FeatureVersion) -> None:
    make_service("churn_model", balance)
    FeatureService.objects.update(declared=True)
    path = "metadata/services/churn_model"
    assert error_of(send(scientist, "PUT", path, {"features": ["age_mean"]})) == (409, "conflict")
    assert error_of(send(scientist, "DELETE", path)) == (409, "conflict")
    assert pinned(ask(scientist, path)[1]) == ["balance_mean@1.0"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "invalid_input")),
        ({"name": "m", "features": []}, (400, "invalid_input")),
        ({"name": "Not A Name", "features": ["age_mean"]}, (400, "invalid_input")),
        ({"name": "m", "features": ["age_mean", "age_mean@1.0"]}, (400, "invalid_input")),
        ({"name": "m", "features": ["age_mean"], "colour": "red"}, (400, "invalid_input")),
        ({"name": "m", "features": ["age_maen"]}, (404, "unknown_feature")),
        ({"name": "m", "features": [f"f{number}" for number in range(1001)]}, (413, "too_large")),
    ],
)
def test_wrong_services_are_refused(scientist: Client, body: dict[str, object], expected: tuple[int, str]) -> None:
    assert error_of(send(scientist, "POST", "metadata/services", body)) == expected
    assert not FeatureService.objects.exists()


def test_who_may_make_them(balance: FeatureVersion) -> None:
    make_service("churn_model", balance)
    viewer = caller(Role.VIEWER)
    assert ask(viewer, "metadata/services")[1]["count"] == 1
    body = {"name": "mine", "features": ["age_mean"]}
    assert error_of(send(viewer, "POST", "metadata/services", body)) == (403, "permission_denied")
    assert error_of(send(viewer, "DELETE", "metadata/services/churn_model")) == (403, "permission_denied")
    assert error_of(send(Client(), "POST", "metadata/services", body)) == (401, "not_authenticated")
    assert list(FeatureService.objects.values_list("name", flat=True)) == ["churn_model"]

"""GET metadata/features/{ref}/audit: what was changed, for those who edit the catalog."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.audit import record
from catalog.models import AuditEvent, Feature, FeatureVersion
from tests.api.asking import ask, caller, error_of, send
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db
URL = "metadata/features/balance_mean/audit"


@pytest.fixture(autouse=True)
def balance() -> FeatureVersion:
    version = make_feature(make_group("finance"), "balance_mean")
    make_feature(version.feature.group, "other")
    return version


def test_a_change_is_told_with_who_when_request_before_and_after() -> None:
    engineer = caller(Role.DATA_ENGINEER, "enno")
    assert send(engineer, "PATCH", "metadata/features/balance_mean", {"owner": "risk"})[0] == 200
    send(engineer, "PATCH", "metadata/features/other", {"owner": "nobody asks"})

    status, body = ask(engineer, URL)

    event = AuditEvent.objects.get(object_type="feature", object_name__contains="balance_mean")
    assert (status, body["count"]) == (200, 1)
    [told] = body["results"]
    assert (told["actor"], told["action"], told["object_type"]) == ("enno", "update", "feature")
    assert (told["before"]["owner"], told["after"]["owner"]) == ("", "risk")
    assert (told["id"], told["request_id"]) == (event.pk, event.request_id)
    assert len(told["request_id"]) >= 8
    assert told["at"].startswith(f"{event.at:%Y-%m-%dT%H:%M:%S}")


def test_newest_first_in_pages_with_the_versions_of_the_feature(balance: FeatureVersion) -> None:
    for number in range(3):
        record(action="update", instance=balance.feature, before={"unit": str(number)}, after={"unit": str(number + 1)})
    record(action="create", instance=balance, after={"data_type": "float"})

    body = ask(caller(Role.DATA_ENGINEER), URL, page_size=2)[1]

    assert (body["count"], len(body["results"])) == (4, 2)
    assert body["next"].endswith(f"{URL}?page=2&page_size=2")
    assert [(one["action"], one["object_type"], one["before"]) for one in body["results"]] == [
        ("create", "featureversion", None),
        ("update", "feature", {"unit": "2"}),
    ]


def test_what_reports_say_of_closed_values_is_for_those_who_see_them(balance: FeatureVersion) -> None:
    record(action="create", instance=balance, after={"data_type": "float", "inherited": {"greatest": 4711}})
    Feature.objects.update(sensitivity="personal")

    engineer, steward = ask(caller(Role.DATA_ENGINEER), URL)[1], ask(caller(Role.STEWARD), URL)[1]

    assert engineer["results"][0]["after"] == {"data_type": "float", "inherited": None}
    assert steward["results"][0]["after"]["inherited"] == {"greatest": 4711}


def test_only_for_those_who_edit_the_catalog() -> None:
    assert error_of(ask(caller(Role.VIEWER), URL)) == (403, "permission_denied")
    assert error_of(ask(caller(Role.DATA_SCIENTIST), URL)) == (403, "permission_denied")
    assert error_of(ask(caller(None, "stig"), URL)) == (403, "permission_denied")
    assert error_of(ask(caller(Role.DATA_ENGINEER), "metadata/features/balance_maen/audit")) == (404, "unknown_feature")
    assert error_of(ask(caller(Role.STEWARD), f"{URL}?actor=enno")) == (400, "invalid_input")


def test_queries_do_not_grow_with_the_changes(balance: FeatureVersion) -> None:
    engineer = caller(Role.DATA_ENGINEER)
    record(action="update", instance=balance.feature, before={"unit": "a"}, after={"unit": "b"})
    ask(engineer, URL)
    with CaptureQueriesContext(connection) as few:
        ask(engineer, URL)
    for number in range(20):
        record(action="update", instance=balance.feature, before={"unit": "a"}, after={"unit": str(number)})
    with CaptureQueriesContext(connection) as many:
        assert ask(engineer, URL)[1]["count"] == 21
    assert len(many) == len(few)

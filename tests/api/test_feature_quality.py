"""GET metadata/features/{ref}/quality: the measures and rules of a feature, with the last thirty results of each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.clock import now
from catalog.models import Feature, FeatureVersion, Status
from ingestion.models import RuleResult, ValidationReport
from tests.api.asking import ask, caller, error_of
from tests.api.described_catalog import profile, report, run
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db
URL = "metadata/features/balance_mean/quality"


@pytest.fixture(autouse=True)
def balance() -> FeatureVersion:
    version = make_feature(make_group("finance"), "balance_mean")
    profile(version, validity=0.5)
    return version


def add_checks(version: FeatureVersion, count: int) -> ValidationReport:
    """So many checks of two rules, an hour between them; ``max_value`` is broken in every second one."""
    made = None
    for number in range(count):
        made = ValidationReport.objects.create(
            group=version.feature.group,
            created_at=now() - timedelta(hours=count - number),
            passed=True,
            row_count=100,
            run=run(version.feature.group, created_at=now() - timedelta(hours=count - number)),
        )
        broken = number % 2
        for rule, failed in (("max_value", 7 * broken), ("not_null", 0)):
            RuleResult.objects.create(
                report=made,
                version=version,
                rule=rule,
                severity="warn",
                passed=not failed,
                checked=100,
                failed=failed,
                message=f"up to 4711, {failed} rows" if failed else "",
                sample=[{"entity_key": "c-7", "value": 4711}] if failed else [],
            )
    assert made is not None
    return made


def test_each_rule_with_its_last_thirty_results(balance: FeatureVersion) -> None:
    newest = add_checks(balance, 40)

    status, body = ask(caller(Role.VIEWER), URL)

    assert status == 200
    assert (body["feature"], body["feature_id"]) == ("finance:balance_mean", "customer_balance_mean_v1")
    assert body["run"] == str(newest.run_id)
    assert [(one["rule"], one["state"], one["failed"], one["kept"]) for one in body["rules"]] == [
        ("max_value", "warn", 7, 15),
        ("not_null", "pass", 0, 30),
    ]
    checks = body["rules"][0]["checks"]
    assert len(checks) == 30
    assert [(one["state"], one["failed"], one["checked"]) for one in checks[:3]] == [
        ("warn", 7, 100),
        ("pass", 0, 100),
        ("warn", 7, 100),
    ]
    assert (checks[0]["run"], checks[0]["report"]) == (str(newest.run_id), newest.pk)
    assert [one["at"] for one in checks] == sorted((one["at"] for one in checks), reverse=True)
    assert body["rules"][0]["sample"] == [{"entity_key": "c-7", "value": 4711}]
    assert body["rules"][1]["sample"] == []


def test_the_measures_against_what_is_good_enough() -> None:
    measures = {one["name"]: one for one in ask(caller(Role.VIEWER), URL)[1]["measures"]}

    assert set(measures) == {"completeness", "validity", "consistency"}
    assert (measures["validity"]["share"], measures["validity"]["falls_short"]) == (0.5, True)
    assert (measures["completeness"]["share"], measures["completeness"]["falls_short"]) == (1.0, False)


def test_never_checked_is_told_with_nulls() -> None:
    make_feature(make_group("second"), "fresh_one")
    body = ask(caller(Role.VIEWER), "metadata/features/fresh_one/quality")[1]
    assert (body["measured_at"], body["checked_at"], body["run"], body["rules"], body["measures"]) == (
        None,
        None,
        None,
        [],
        [],
    )


def test_messages_and_samples_only_for_those_who_see_the_values(balance: FeatureVersion) -> None:
    report(run(balance.feature.group), balance)
    Feature.objects.update(sensitivity="personal")

    [closed] = ask(caller(Role.VIEWER), URL)[1]["rules"]
    [opened] = ask(caller(Role.STEWARD), URL)[1]["rules"]

    assert (closed["message"], closed["sample"], closed["failed"], closed["state"]) == (None, None, 357, "warn")
    assert opened["sample"] == [{"entity_key": "15634602", "value": 12.5}]
    assert opened["message"] == "357 of 10000 are above 10"


def test_strangers_and_archived_features(balance: FeatureVersion) -> None:
    assert error_of(ask(caller(None, "stig"), URL)) == (403, "permission_denied")
    assert error_of(ask(caller(Role.VIEWER), "metadata/features/nothing/quality")) == (404, "unknown_feature")
    assert error_of(ask(caller(Role.VIEWER, "v"), URL, page=1)) == (400, "invalid_input")
    Feature.objects.filter(pk=balance.feature_id).update(status=Status.ARCHIVED)
    assert error_of(ask(caller(Role.VIEWER, "w"), URL)) == (404, "unknown_feature")
    assert ask(caller(Role.STEWARD), URL)[0] == 200


def test_queries_do_not_grow_with_the_checks(balance: FeatureVersion) -> None:
    viewer = caller(Role.VIEWER)
    add_checks(balance, 2)
    ask(viewer, URL)
    with CaptureQueriesContext(connection) as few:
        ask(viewer, URL)
    add_checks(balance, 20)
    with CaptureQueriesContext(connection) as many:
        assert len(ask(viewer, URL)[1]["rules"][0]["checks"]) == 22
    assert len(many) == len(few)

"""GET and PATCH metadata/features/{ref}."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog.access import Role
from catalog.models import AuditEvent, Feature, FeatureGroup, FeatureVersion, Status, ValueGrant
from tests.api.asking import ask, caller, error_of, send
from tests.api.described_catalog import profile, tag
from tests.stocked_store import make_entity, make_feature, make_group, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


@pytest.fixture
def balance() -> FeatureVersion:
    group = make_group("finance", max_age=timedelta(days=1), owner="risk-team")
    version = make_feature(group, "balance_mean", source_column="balance_mean", validation={"min_value": 0.0})
    tag(version, "money")
    profile(version)
    return version


def test_all_that_is_known(viewer: Client, balance: FeatureVersion) -> None:
    make_service("churn_model", balance)
    status, body = ask(viewer, "metadata/features/balance_mean")
    assert status == 200
    assert (body["feature_id"], body["name"], body["version"]) == ("customer_balance_mean_v1", "balance_mean", "1.0")
    assert body["reference"] == "finance:balance_mean@1.0"
    assert (body["source_table"], body["source_column"]) == ("finance", "balance_mean")
    assert (body["entity"], body["join_keys"]) == ("customer", ["customer_id"])
    assert (body["max_age"], body["max_age_seconds"]) == ("1d", 86400.0)
    assert body["statistics"] == {
        "min_value": 0.0,
        "max_value": 250898.09,
        "mean_value": 76485.889,
        "std_dev": 62397.405,
        "null_count": 0,
        "row_count": 10_000,
        "distinct_count": 6_382,
        "computed_at": "2025-03-01T12:00:00Z",
        "masked": [],
        "quantiles": {"0.5": 97198.54},
        "histogram": {"edges": [0.0, 125449.045, 250898.09], "counts": [6000, 4000]},
        "top_values": [{"value": 0.0, "count": 3617}],
    }
    assert body["newest_event"] == "2025-03-01T12:00:00Z"
    assert body["validation"] == {"min_value": 0.0}
    assert body["tags"] == ["money"]
    assert body["services"] == [{"name": "churn_model", "version": "1.0"}]
    assert [(one["version"], one["is_default"]) for one in body["versions"]] == [("1.0", True)]


def test_why_there_are_no_statistics(viewer: Client, balance: FeatureVersion) -> None:
    make_feature(balance.feature.group, "balance_sum", source_problem="the table has no column balance_sum")
    make_feature(balance.feature.group, "fresh")
    missing = ask(viewer, "metadata/features/balance_sum")[1]
    assert (missing["statistics"], missing["quality_metrics"]) == (None, None)
    assert missing["statistics_reason"] == missing["source_problem"] == "the table has no column balance_sum"
    assert "no statistics yet" in ask(viewer, "metadata/features/fresh")[1]["statistics_reason"]


def test_versions_by_reference_and_by_parameter(viewer: Client, balance: FeatureVersion) -> None:
    FeatureVersion.objects.create(feature=balance.feature, major=2, minor=1, data_type="integer")
    for path in ("balance_mean@2", "balance_mean@2.1", "finance:balance_mean@v2", "balance_mean?version=2"):
        status, body = ask(viewer, f"metadata/features/{path}")
        assert (status, body["feature_id"], body["data_type"]) == (200, "customer_balance_mean_v2", "integer")
    assert len(ask(viewer, "metadata/features/balance_mean")[1]["versions"]) == 2
    assert error_of(ask(viewer, "metadata/features/balance_mean@1?version=2")) == (400, "invalid_input")
    unknown = ask(viewer, "metadata/features/balance_mean@9")
    assert error_of(unknown) == (404, "unknown_feature")
    assert sorted(unknown[1]["error"]["details"]["versions"]) == ["1.0", "2.1"]


def test_unknown_and_ambiguous_references(viewer: Client, balance: FeatureVersion) -> None:
    unknown = ask(viewer, "metadata/features/balance_maen")
    assert error_of(unknown) == (404, "unknown_feature")
    assert unknown[1]["error"]["details"]["nearest"] == ["balance_mean"]
    make_feature(make_group("branches", entity=make_entity("branch", ("branch_id",))), "balance_mean")
    ambiguous = ask(viewer, "metadata/features/balance_mean")
    assert error_of(ambiguous) == (400, "invalid_input")
    assert ambiguous[1]["error"]["details"]["candidates"] == ["branches:balance_mean", "finance:balance_mean"]
    assert ask(viewer, "metadata/features/branches:balance_mean")[1]["entity"] == "branch"
    assert error_of(ask(viewer, "metadata/features/balance mean")) == (400, "invalid_input")


def test_statistics_of_personal_values_are_masked(viewer: Client, balance: FeatureVersion) -> None:
    FeatureGroup.objects.update(sensitivity="personal")
    FeatureVersion.objects.update(inherited={"example": 161993.89})
    hidden = ask(viewer, "metadata/features/balance_mean")[1]
    shown = {name: value for name, value in hidden["statistics"].items() if value is not None}
    assert set(shown) == {"mean_value", "std_dev", "null_count", "row_count", "distinct_count", "computed_at", "masked"}
    assert shown["masked"] == ["min_value", "max_value", "quantiles", "histogram", "top_values"]
    assert "personal" in hidden["statistics_reason"]
    assert hidden["inherited"] is None
    assert "250898.09" not in str(ask(viewer, "metadata/features")[1])

    steward = ask(caller(Role.STEWARD), "metadata/features/balance_mean")[1]
    assert (steward["statistics"]["max_value"], steward["statistics_reason"]) == (250898.09, None)

    ValueGrant.objects.create(group=balance.feature.group, user=User.objects.get(username="some-viewer"))
    assert ask(viewer, "metadata/features/balance_mean")[1]["statistics"]["max_value"] == 250898.09


def test_of_few_personal_values_the_mean_is_masked_too(viewer: Client, balance: FeatureVersion) -> None:
    FeatureGroup.objects.update(sensitivity="confidential")
    profile(balance, row_count=20, null_count=1)
    statistics = ask(viewer, "metadata/features/balance_mean")[1]["statistics"]
    assert (statistics["mean_value"], statistics["std_dev"], statistics["row_count"]) == (None, None, 20)


def test_a_change_by_hand_is_made_and_audited(balance: FeatureVersion) -> None:
    engineer = caller(Role.DATA_ENGINEER)
    body = {"description": "Mean balance", "owner": "fraud-team", "tags": ["Risk", "money"], "unit": "EUR"}
    status, answer = send(engineer, "PATCH", "metadata/features/balance_mean", body)
    assert (status, answer["description"], answer["owner"], answer["unit"]) == (
        200,
        "Mean balance",
        "fraud-team",
        "EUR",
    )
    assert answer["tags"] == ["money", "risk"]
    event = AuditEvent.objects.get(object_type="feature")
    assert (event.action, event.actor, event.before["owner"], event.after["owner"]) == (
        "update",
        "some-data-engineer",
        "",
        "fraud-team",
    )
    assert event.request_id


def test_deprecating_and_restoring(balance: FeatureVersion) -> None:
    engineer = caller(Role.DATA_ENGINEER)
    path = "metadata/features/balance_mean"
    assert error_of(send(engineer, "PATCH", path, {"status": "deprecated"})) == (400, "invalid_input")
    body = {"status": "deprecated", "status_reason": "use balance_median"}
    status, answer = send(engineer, "PATCH", path, body)
    assert (status, answer["status"], answer["status_reason"]) == (200, "deprecated", "use balance_median")
    status, answer = send(engineer, "PATCH", path, {"status": "active"})
    assert (status, answer["status"], answer["status_reason"]) == (200, "active", "")
    make_service("churn_model", balance)
    assert error_of(send(engineer, "PATCH", path, {"status": "archived"})) == (409, "conflict")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"colour": "red"},
        {"status": "gone"},
        {"tags": [""]},
        {"tags": "money"},
        {"owner": 7 * ["x"]},
        {"unit": "u" * 61},
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(balance: FeatureVersion, body: dict[str, object]) -> None:
    before = Feature.objects.values().get()
    answer = send(caller(Role.DATA_ENGINEER), "PATCH", "metadata/features/balance_mean", body)
    assert error_of(answer) == (400, "invalid_input")
    assert Feature.objects.values().get() == before
    assert not AuditEvent.objects.filter(object_type="feature").exists()


def test_who_may_change(balance: FeatureVersion) -> None:
    path, body = "metadata/features/balance_mean", {"owner": "me"}
    for role in (Role.VIEWER, Role.DATA_SCIENTIST):
        assert error_of(send(caller(role), "PATCH", path, body)) == (403, "permission_denied")
    reading = caller(Role.DATA_ENGINEER, "reader", writing=False)
    assert error_of(send(reading, "PATCH", path, body)) == (403, "permission_denied")
    assert error_of(send(Client(), "PATCH", path, body)) == (401, "not_authenticated")
    assert Feature.objects.get().owner == ""


def test_only_who_sees_personal_values_may_open_them(balance: FeatureVersion) -> None:
    FeatureGroup.objects.update(sensitivity="personal")
    path, body = "metadata/features/balance_mean", {"sensitivity": "internal"}
    assert error_of(send(caller(Role.DATA_ENGINEER), "PATCH", path, body)) == (403, "permission_denied")
    assert Feature.objects.get().sensitivity == ""
    assert send(caller(Role.STEWARD), "PATCH", path, body)[1]["sensitivity"] == "internal"


def test_a_version_is_not_edited(balance: FeatureVersion) -> None:
    answer = send(caller(Role.DATA_ENGINEER), "PATCH", "metadata/features/balance_mean@1.0", {"owner": "me"})
    assert error_of(answer) == (400, "invalid_input")


def test_a_null_character_names_nothing(viewer: Client, balance: FeatureVersion) -> None:
    assert error_of(ask(viewer, "metadata/features/balance%00mean")) == (400, "invalid_input")
    assert error_of(ask(viewer, "metadata/services/churn%00model")) == (404, "not_found")
    answer = send(viewer, "POST", "features/batch", {"entity_id": 1, "service": "churn\0model"})
    assert error_of(answer)[0] in (400, 404)


def test_tier_and_replacement(balance: FeatureVersion) -> None:
    url = "metadata/features/balance_mean"
    make_feature(balance.feature.group, "balance_median")
    engineer, steward = caller(Role.DATA_ENGINEER), caller(Role.STEWARD)

    assert error_of(send(engineer, "PATCH", url, {"tier": "certified"})) == (403, "permission_denied")
    assert send(steward, "PATCH", url, {"tier": "certified"})[1]["tier"] == "certified"
    assert ask(engineer, "metadata/features", tier="certified")[1]["count"] == 1
    assert error_of(send(engineer, "PATCH", url, {"replacement": "balance_median"})) == (409, "conflict")
    body = {"status": "deprecated", "status_reason": "Drifts", "replacement": "balance_median"}
    assert send(engineer, "PATCH", url, body)[1]["replacement"] == "finance:balance_median"
    Feature.objects.filter(name="balance_median").update(status=Status.ARCHIVED)
    assert ask(caller(Role.VIEWER, "vera"), url)[1]["replacement"] is None
    assert ask(engineer, url)[1]["replacement"] == "finance:balance_median"
    assert send(engineer, "PATCH", url, {"replacement": None})[1]["replacement"] is None

"""Values in the admin: masked and logged like every read; tokens: shown once, revoked for good."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from catalog.models import FeatureVersion, ValueGrant
from featurestore_site.configuration import Configuration
from ingestion.models import QuarantinedRow, RuleResult, ValidationReport
from serving.models import ApiToken, FeatureValue
from serving.tokens import digest_of
from tests.admin.conftest import Stocked, events_after, newest_event

KEY = re.compile(r"fs_[\w-]{40}")


def value_page(client: Client) -> str:
    row = FeatureValue.objects.get()
    return client.get(reverse("admin:serving_featurevalue_change", args=[row.pk])).content.decode()


def test_values_are_masked_for_who_may_not_read_them(engineer: Client, stocked: Stocked) -> None:
    page = value_page(engineer)

    assert "161993.89" in page
    assert "555-0100" not in page
    assert "***4711 (masked)" in page


def test_values_are_clear_for_stewards(steward: Client, stocked: Stocked) -> None:
    assert "555-0100-4711" in value_page(steward)


def test_values_are_clear_with_a_grant(engineer: Client, stocked: Stocked) -> None:
    ValueGrant.objects.create(group=stocked.group, user=User.objects.get(username="enno"))

    assert "555-0100-4711" in value_page(engineer)


def test_looking_at_values_leaves_an_access_record(
    steward: Client, stocked: Stocked, configuration: Configuration
) -> None:
    value_page(steward)

    [log] = (Path(configuration.output.logs_dir) / "access").iterdir()
    [line] = log.read_text().splitlines()
    record = json.loads(line)
    assert (record["caller"], record["kind"], record["entities"]) == ("stella", "online", 1)
    assert record["features"] == ["customer_finance_balance_v1", "customer_finance_phone_v1"]


def test_lists_of_values_show_none(steward: Client, stocked: Stocked) -> None:
    page = steward.get(reverse("admin:serving_featurevalue_changelist")).content.decode()

    assert "15634602" in page
    assert "161993.89" not in page


@pytest.mark.parametrize("model", ["quarantinedrow", "ruleresult"])
def test_rows_of_sensitive_groups_are_for_the_cleared(
    model: str, engineer: Client, steward: Client, stocked: Stocked
) -> None:
    row = (QuarantinedRow if model == "quarantinedrow" else RuleResult).objects.get()
    address = reverse(f"admin:ingestion_{model}_change", args=[row.pk])

    assert "555-01" in steward.get(address).content.decode()
    hidden = engineer.get(address).content.decode()
    assert "555-01" not in hidden
    assert "sensitive values that you may not read" in hidden
    assert "pattern" in hidden


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        ("serving_featurevalue", "values__finance_phone_v1__startswith=555"),
        ("serving_featurevalue", "values__icontains=555-0100"),
        ("catalog_featureprofile", "top_values__icontains=555-0199"),
        ("catalog_featureversion", "inherited__icontains=555"),
        ("ingestion_ruleresult", "sample__icontains=555-0177"),
        ("ingestion_ruleresult", "message__contains=555"),
        ("ingestion_quarantinedrow", "row__icontains=555-0188"),
        ("ingestion_validationreport", "shortfalls__icontains=555"),
    ],
)
def test_lists_cannot_be_asked_what_they_hide(model: str, lookup: str, engineer: Client, stocked: Stocked) -> None:
    assert engineer.get(f"{reverse(f'admin:{model}_changelist')}?{lookup}").status_code == 400


def test_lists_are_filtered_by_what_they_offer(engineer: Client, stocked: Stocked) -> None:
    address = reverse("admin:serving_featurevalue_changelist")

    assert "1 feature value" in engineer.get(f"{address}?group__id__exact={stocked.group.pk}").content.decode()


@pytest.mark.parametrize("model", ["validationreport", "ruleresult"])
def test_messages_that_may_quote_values_are_for_the_cleared(
    model: str, engineer: Client, steward: Client, stocked: Stocked
) -> None:
    RuleResult.objects.update(message="555-0123 is no number")
    ValidationReport.objects.update(shortfalls=[{"feature": "finance_phone", "rule": "x", "message": "555-0123"}])
    row = (ValidationReport if model == "validationreport" else RuleResult).objects.get()
    address = reverse(f"admin:ingestion_{model}_change", args=[row.pk])

    assert "555-0123" in steward.get(address).content.decode()
    assert "555-0123" not in engineer.get(address).content.decode()
    searched = engineer.get(reverse("admin:ingestion_ruleresult_changelist"), {"q": "555-0123"}).content.decode()
    assert "0 rule results" in searched


def test_what_reports_of_the_pipeline_say_is_for_the_cleared(
    engineer: Client, steward: Client, stocked: Stocked
) -> None:
    FeatureVersion.objects.update(inherited={"statistics": {"max": "555-0123"}})
    address = reverse("admin:catalog_featureversion_change", args=[stocked.phone.pk])

    assert "555-0123" in steward.get(address).content.decode()
    assert "555-0123" not in engineer.get(address).content.decode()


def test_a_token_is_shown_once(administrator: Client, stocked: Stocked) -> None:
    user, first = User.objects.get(username="reader_of_finance"), newest_event()
    form = {"user": user.pk, "name": "churn model", "scopes": ["read"]}

    answer = administrator.post(reverse("admin:serving_apitoken_add"), form, follow=True)

    token = ApiToken.objects.get(name="churn model")
    [key] = set(KEY.findall(answer.content.decode()))
    assert (token.digest, token.user, token.scopes) == (digest_of(key), user, ["read"])
    [event] = events_after(first)
    assert (event.action, event.actor, event.object_name) == ("issue token", "ada", str(token))
    again = administrator.get(reverse("admin:serving_apitoken_change", args=[token.pk])).content.decode()
    assert key not in again
    assert token.digest not in again


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "  ", "This field is required"),
        ("scopes", [], "This field is required"),
        ("scopes", ["everything"], "is not one of the available choices"),
        ("expires_at_0", "2020-01-01", "That is past"),
    ],
)
def test_a_token_that_cannot_be(field: str, value: object, told: str, administrator: Client, stocked: Stocked) -> None:
    user = User.objects.get(username="reader_of_finance")
    form = {"user": user.pk, "name": "churn model", "scopes": ["read"], "expires_at_1": "00:00:00", field: value}
    if field != "expires_at_0":
        del form["expires_at_1"]

    answer = administrator.post(reverse("admin:serving_apitoken_add"), form)

    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert ApiToken.objects.count() == 1


def test_revoking(administrator: Client, stocked: Stocked) -> None:
    token, first = ApiToken.objects.get(), newest_event()
    action = {"action": "revoke_selected", "_selected_action": [token.pk]}

    administrator.post(reverse("admin:serving_apitoken_changelist"), action)
    administrator.post(reverse("admin:serving_apitoken_changelist"), action)

    token.refresh_from_db()
    assert token.revoked_at is not None
    assert [event.action for event in events_after(first)] == ["revoke token"]


def test_stewards_make_and_revoke_no_tokens(steward: Client, stocked: Stocked) -> None:
    token, first = ApiToken.objects.get(), newest_event()
    form = {"user": token.user_id, "name": "mine", "scopes": ["read"]}

    assert steward.post(reverse("admin:serving_apitoken_add"), form).status_code == 403
    action = {"action": "revoke_selected", "_selected_action": [token.pk]}
    assert steward.post(reverse("admin:serving_apitoken_changelist"), action).status_code == 403

    token.refresh_from_db()
    assert token.revoked_at is None
    assert events_after(first) == []

"""POST validate."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureVersion
from ingestion import runs, triggering
from ingestion.models import IngestionRun, RunState
from tests.api.asking import caller, error_of, send
from tests.api.described_catalog import AT, report
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def balance(monkeypatch: pytest.MonkeyPatch) -> FeatureVersion:
    monkeypatch.setattr(triggering, "wake_worker", lambda _: None)
    return make_feature(make_group("finance"), "balance_mean")


@pytest.fixture
def engineer() -> Client:
    return caller(Role.DATA_ENGINEER)


@pytest.fixture
def _worked(monkeypatch: pytest.MonkeyPatch, balance: FeatureVersion) -> None:
    def work(_: float) -> None:
        for run in IngestionRun.objects.unfinished():
            report(run, balance, passed=False)
        IngestionRun.objects.update(state=RunState.SUCCEEDED, finished_at=AT)

    monkeypatch.setattr(runs.time, "sleep", work)


def test_without_waiting(engineer: Client) -> None:
    status, body = send(engineer, "POST", "validate", {})
    assert (status, set(body)) == (202, {"runs"})
    assert [(run["group"], run["kind"], run["state"]) for run in body["runs"]] == [("finance", "validate", "queued")]


@pytest.mark.usefixtures("_worked")
def test_with_the_reports(engineer: Client) -> None:
    status, body = send(engineer, "POST", "validate", {"groups": ["finance"], "wait": True})
    assert (status, body["runs"][0]["state"], body["report"]["passed"]) == (200, "succeeded", False)
    found = body["report"]["groups"][0]
    assert (found["group"], found["passed"], found["validity"]) == ("finance", False, 0.9643)
    assert found["shortfalls"][0]["message"] == "too high"
    result = found["results"][0]
    assert (result["feature"], result["rule"], result["failed"]) == ("balance_mean", "max_value", 357)
    assert result["sample"] == [{"entity_key": "15634602", "value": 12.5}]


@pytest.mark.usefixtures("_worked")
def test_rows_with_personal_values_are_not_shown(engineer: Client, balance: FeatureVersion) -> None:
    balance.feature.sensitivity = "personal"
    balance.feature.save()
    body = send(engineer, "POST", "validate", {"wait": True})[1]
    assert body["report"]["groups"][0]["results"][0]["sample"] is None


def test_who_may(engineer: Client) -> None:
    assert error_of(send(caller(Role.VIEWER), "POST", "validate", {})) == (403, "permission_denied")
    assert error_of(send(Client(), "POST", "validate", {})) == (401, "not_authenticated")
    assert error_of(send(engineer, "POST", "validate", {"groups": ["finanze"]})) == (404, "not_found")
    assert not IngestionRun.objects.exists()

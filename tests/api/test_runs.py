"""runs and reports."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.models import FeatureGroup, FeatureVersion
from ingestion import triggering
from ingestion.models import IngestionRun
from serving.access_log import access_folder
from tests.api.asking import ask, caller, error_of, send
from tests.api.described_catalog import AT, report, run
from tests.stocked_store import make_feature, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def balance(monkeypatch: pytest.MonkeyPatch) -> FeatureVersion:
    monkeypatch.setattr(triggering, "wake_worker", lambda _: None)
    return make_feature(make_group("finance"), "balance_mean")


@pytest.fixture
def done(balance: FeatureVersion) -> IngestionRun:
    made = run(
        balance.feature.group,
        rows_read=10_000,
        rows_appended=500,
        rows_flagged=357,
        log="read\n",
        problems=[{"code": "missing_column", "message": "no column balance_sum", "feature": "balance_sum"}],
    )
    report(made, balance)
    return made


@pytest.fixture
def viewer() -> Client:
    return caller(Role.VIEWER)


def test_the_runs_newest_first(viewer: Client, done: IngestionRun) -> None:
    newest = run(make_group("people"), "running", created_at=AT + timedelta(hours=1))
    status, body = ask(viewer, "runs")
    assert status == 200
    assert [entry["id"] for entry in body["results"]] == [str(newest.pk), str(done.pk)]
    entry = body["results"][1]
    assert (entry["rows_read"], entry["rows_appended"], entry["rows_flagged"]) == (10_000, 500, 357)
    assert (entry["seconds"], entry["problem_count"], entry["step"]) == (0.0, 1, "wait")
    for parameters in ({"group": "finance"}, {"state": "succeeded"}, {"kind": "ingest", "state": "succeeded,failed"}):
        assert [entry["id"] for entry in ask(viewer, "runs", **parameters)[1]["results"]] == [str(done.pk)]
    assert error_of(ask(viewer, "runs", status="failed")) == (400, "invalid_input")
    for parameter, choices in {"state": "queued, running, succeeded", "kind": "ingest, validate"}.items():
        refused = ask(viewer, "runs", **{parameter: "zz"})
        assert error_of(refused) == (400, "invalid_input")
        assert f"there is no 'zz'; it is one of {choices}" in refused[1]["error"]["message"]


def test_one_run(viewer: Client, done: IngestionRun) -> None:
    status, body = ask(viewer, f"runs/{done.pk}")
    assert (status, body["state"], body["error"]) == (200, "succeeded", "")
    assert body["problems"] == [
        {"code": "missing_column", "message": "no column balance_sum", "feature": "balance_sum", "rule": None}
    ]
    assert body["report"]["results"][0]["failed"] == 357
    assert body["log"] == "read\n"


def test_what_quotes_values_is_for_those_who_may_see_them(viewer: Client, done: IngestionRun) -> None:
    done.group.features.update(sensitivity="personal")
    IngestionRun.objects.update(
        error="161993.89 is too much",
        problems=[{"feature": "balance_mean", "rule": "max_value", "message": "161993.89"}],
    )
    of_run, of_report = ask(viewer, f"runs/{done.pk}")[1], ask(viewer, "reports")[1]["results"][0]
    assert (of_run["log"], of_run["error"], ask(viewer, "runs")[1]["results"][0]["error"]) == (None, None, None)
    assert of_run["problems"][0]["message"] == "you may not see the values that this is about"
    result = of_run["report"]["results"][0]
    assert (result["failed"], result["message"], result["sample"]) == (357, None, None)
    assert of_report["passed"] is True

    mending = ask(caller(Role.DATA_ENGINEER), f"runs/{done.pk}")[1]
    assert (mending["log"], mending["error"]) == ("read\n", "161993.89 is too much")
    assert mending["report"]["results"][0]["sample"] is None
    assert ask(caller(Role.STEWARD), f"runs/{done.pk}")[1]["report"]["results"][0]["message"].startswith("357")


def test_unknown_runs(viewer: Client) -> None:
    assert error_of(ask(viewer, f"runs/{uuid4()}")) == (404, "not_found")
    assert error_of(ask(viewer, "runs/7")) == (404, "not_found")


def test_once_more(done: IngestionRun) -> None:
    engineer = caller(Role.DATA_ENGINEER)
    status, body = send(engineer, "POST", f"runs/{done.pk}/retry")
    assert (status, body["state"], body["group"]) == (202, "queued", "finance")
    assert body["id"] != str(done.pk)
    assert error_of(send(engineer, "POST", f"runs/{body['id']}/retry")) == (409, "conflict")
    FeatureGroup.objects.update(status="archived")
    assert error_of(send(engineer, "POST", f"runs/{done.pk}/retry")) == (409, "conflict")
    assert IngestionRun.objects.count() == 2


def test_who_sees_and_who_may(viewer: Client, done: IngestionRun) -> None:
    assert error_of(send(viewer, "POST", f"runs/{done.pk}/retry")) == (403, "permission_denied")
    FeatureGroup.objects.update(status="archived")
    assert ask(viewer, "runs")[1]["count"] == 0
    assert error_of(ask(viewer, f"runs/{done.pk}")) == (404, "not_found")
    assert ask(caller(Role.STEWARD), f"runs/{done.pk}")[0] == 200
    assert error_of(ask(Client(), "runs")) == (401, "not_authenticated")
    assert IngestionRun.objects.count() == 1


def test_reports(viewer: Client, done: IngestionRun) -> None:
    status, body = ask(viewer, "reports", group="finance", passed="true")
    assert (status, body["count"]) == (200, 1)
    entry = body["results"][0]
    assert (entry["run"], entry["validity"]) == (str(done.pk), 0.9643)
    detailed = ask(viewer, f"reports/{entry['id']}")[1]
    assert detailed["results"][0]["sample"] == [{"entity_key": "15634602", "value": 12.5}]
    lines = [line for path in access_folder().glob("*") for line in path.read_text().splitlines()]
    [record] = [json.loads(line) for line in lines]
    assert (record["features"], record["entities"]) == (["customer_balance_mean_v1"], 1)
    assert ask(viewer, "reports", passed="false")[1]["count"] == 0
    assert ask(viewer, "reports", passed="TRUE")[1]["count"] == ask(viewer, "reports", passed="")[1]["count"] == 1
    refused = ask(viewer, "reports", passed="zz")
    assert error_of(refused) == (400, "invalid_input")
    assert "there is no 'zz'; it is one of true, false" in refused[1]["error"]["message"]
    assert error_of(ask(viewer, "reports/99999")) == (404, "not_found")
    FeatureGroup.objects.update(status="archived")
    assert ask(viewer, "reports")[1]["count"] == 0


def test_the_number_of_queries_does_not_grow_with_the_rows(viewer: Client, balance: FeatureVersion) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ask(viewer, path)[0] == 200
        return len(captured)

    report(run(balance.feature.group), balance)
    queries("runs")
    few = queries("runs"), queries("reports")
    for _ in range(10):
        report(run(balance.feature.group), balance)
    assert (queries("runs"), queries("reports")) == few

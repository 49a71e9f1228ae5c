"""POST refresh."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureGroup
from ingestion import runs, triggering
from ingestion.models import IngestionRun, RunKind, RunState
from tests.api.asking import ask, caller, error_of, send
from tests.api.described_catalog import AT
from tests.stocked_store import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The runs that a worker was woken for."""
    ids: list[UUID] = []
    monkeypatch.setattr(triggering, "wake_worker", ids.append)
    return ids


@pytest.fixture(autouse=True)
def groups(woken: list[UUID]) -> None:
    make_group("finance")
    make_group("people")


@pytest.fixture
def engineer() -> Client:
    return caller(Role.DATA_ENGINEER)


def test_all_groups(engineer: Client, woken: list[UUID], django_capture_on_commit_callbacks: object) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        status, body = send(engineer, "POST", "refresh", {})
    assert status == 202
    assert [(run["group"], run["state"], run["kind"]) for run in body["runs"]] == [
        ("finance", "queued", "ingest"),
        ("people", "queued", "ingest"),
    ]
    assert [str(run_id) for run_id in woken] == [run["id"] for run in body["runs"]]
    assert body["runs"][0]["url"] == f"http://testserver/api/v1/runs/{body['runs'][0]['id']}"
    assert ask(engineer, f"runs/{body['runs'][0]['id']}")[1]["requested_by"] == "some-data-engineer"
    made = IngestionRun.objects.first()
    assert made is not None
    assert made.trigger == "api"


def test_named_groups_each_once(engineer: Client) -> None:
    status, body = send(engineer, "POST", "refresh", {"groups": ["people", "people"]})
    assert (status, [run["group"] for run in body["runs"]]) == (202, ["people"])


def test_a_body_is_not_needed(engineer: Client) -> None:
    assert send(engineer, "POST", "refresh")[0] == 202


def test_a_run_that_already_waits_is_that_run(engineer: Client) -> None:
    first = send(engineer, "POST", "refresh", {"groups": ["people"]})
    assert send(engineer, "POST", "refresh", {"groups": ["people"]}) == first
    assert IngestionRun.objects.count() == 1


def test_waiting_for_the_end(engineer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_: float) -> None:
        IngestionRun.objects.update(state=RunState.SUCCEEDED, finished_at=AT)

    monkeypatch.setattr(runs.time, "sleep", work)
    status, body = send(engineer, "POST", "refresh", {"groups": ["people"], "wait": True})
    assert (status, body["runs"][0]["state"]) == (200, "succeeded")


def test_waiting_not_long_enough(engineer: Client) -> None:
    status, body = send(engineer, "POST", "refresh", {"groups": ["people"], "wait": 0.01})
    assert (status, body["runs"][0]["state"]) == (202, "queued")


def test_an_unknown_or_archived_group(engineer: Client) -> None:
    answer = send(engineer, "POST", "refresh", {"groups": ["people", "finanze"]})
    assert error_of(answer) == (404, "not_found")
    assert answer[1]["error"]["details"] == {"groups": ["finanze"], "nearest": ["finance"]}
    FeatureGroup.objects.filter(name="finance").update(status="archived")
    assert error_of(send(engineer, "POST", "refresh", {"groups": ["finance"]})) == (404, "not_found")
    assert not IngestionRun.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"groups": "people"},
        {"groups": []},
        {"groups": [7.5, {}]},
        {"wait": -1},
        {"wait": 31},
        {"wait": "yes"},
        {"group": "x"},
    ],
)
def test_wrong_bodies(engineer: Client, body: dict[str, object]) -> None:
    assert error_of(send(engineer, "POST", "refresh", body)) == (400, "invalid_input")
    assert not IngestionRun.objects.exists()


def test_who_may(woken: list[UUID]) -> None:
    for role in (Role.VIEWER, Role.DATA_SCIENTIST):
        assert error_of(send(caller(role), "POST", "refresh", {})) == (403, "permission_denied")
    reading = caller(Role.DATA_ENGINEER, "reader", writing=False)
    assert error_of(send(reading, "POST", "refresh", {})) == (403, "permission_denied")
    assert error_of(send(Client(), "POST", "refresh", {})) == (401, "not_authenticated")
    assert not IngestionRun.objects.filter(kind=RunKind.INGEST).exists()
    assert woken == []

"""Pages of runs, and the buttons that ask for one."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from catalog.models import Feature
from ingestion.models import IngestionRun, RunKind, RunState
from ingestion.views import requests as run_requests
from tests.pages.filled import add_run, fill

pytestmark = pytest.mark.django_db


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """The ids that workers were woken for."""
    ids: list[uuid.UUID] = []
    monkeypatch.setattr(run_requests, "wake_worker", ids.append)
    return ids


def test_no_run_yet(viewer: Client) -> None:
    assert "Nothing was ingested yet" in page(viewer, "/runs/")


@pytest.mark.parametrize(
    ("query", "count"), [("", 4), ("?state=failed", 1), ("?group=second", 1), ("?kind=validate", 1), ("?state=", 4)]
)
def test_filters(query: str, count: int, viewer: Client) -> None:
    group = fill()
    fill("second")
    add_run(group, RunState.FAILED)
    add_run(group, kind=RunKind.VALIDATE)

    html = page(viewer, f"/runs/{query}")

    assert len(re.findall(r'<td class="nowrap"><a href="/runs/[0-9a-f-]{36}/">', html)) == count


def test_a_running_run_shows_how_far_it_is(viewer: Client) -> None:
    run = add_run(fill(), RunState.RUNNING, step="validate", progress=0.42)

    html = page(viewer, f"/runs/{run.pk}/")

    assert '<progress max="1" value="0.420"' in html
    assert "checking rows, 42%" in html
    assert "Refresh" in html
    assert '<progress max="1" value="0.420"' in page(viewer, "/runs/")


def test_a_run_with_its_counts_problems_rules_and_log(viewer: Client) -> None:
    fill()
    run = IngestionRun.objects.get()
    run.log = "reading finance\n"
    run.problems = [{"code": "missing_column", "message": "finance has no balance_sum", "feature": "finance_f0"}]
    run.save()

    html = page(viewer, f"/runs/{run.pk}/")

    assert "<dt>Read</dt><dd>1,234,567</dd>" in html
    assert "1 minute 5 seconds" in html
    assert "finance has no balance_sum" in html
    assert "200 of 1000 rows" in html
    assert "secret-177 is no number" in html
    assert "reading finance" in html
    assert "Run again" not in html


def test_a_run_tells_no_personal_values(viewer: Client, engineer: Client) -> None:
    fill()
    Feature.objects.filter(name="finance_f0").update(sensitivity="personal")
    run = IngestionRun.objects.get()
    run.log = "the log says 4711\n"
    run.problems = [{"message": "finance_f0 is above 80 (up to 4712)", "feature": "finance_f0", "rule": "max_value"}]
    run.save()

    html = page(viewer, f"/runs/{run.pk}/")
    assert "4711" not in html
    assert "4712" not in html
    assert "secret-177" not in html
    html = page(engineer, f"/runs/{run.pk}/")
    assert "4711" in html
    assert "4712" not in html


def test_a_failed_run_says_why(viewer: Client) -> None:
    run = add_run(fill(), RunState.FAILED, error="the source is away")

    assert "The run failed</p><p>the source is away</p>" in page(viewer, f"/runs/{run.pk}/")


def test_an_unknown_run_is_not_found(viewer: Client) -> None:
    assert viewer.get(f"/runs/{uuid.uuid4()}/").status_code == 404
    assert viewer.get("/runs/nonsense/").status_code == 404


@pytest.mark.parametrize("kind", ["ingest", "validate"])
def test_the_button_asks_for_a_run(
    kind: str, engineer: Client, woken: list[uuid.UUID], django_capture_on_commit_callbacks: object
) -> None:
    group = fill()
    assert "Ingest now" in page(engineer, "/groups/finance/")

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]  # a fixture of pytest-django
        answer = engineer.post("/groups/finance/runs", {"kind": kind})

    run = IngestionRun.objects.exclude(state=RunState.SUCCEEDED).get()
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/")
    assert (run.group, run.kind, run.state, run.trigger, run.requested_by) == (group, kind, "queued", "page", "enno")
    assert run.requested_user is not None
    assert woken == [run.pk]
    assert "is asked for" in page(engineer, f"/runs/{run.pk}/")


def test_a_failed_run_can_be_tried_again(engineer: Client, woken: list[uuid.UUID]) -> None:
    failed = add_run(fill(), RunState.FAILED, kind=RunKind.VALIDATE)
    assert "Try again" in page(engineer, f"/runs/{failed.pk}/")

    engineer.post(f"/runs/{failed.pk}/again")

    assert IngestionRun.objects.get(state=RunState.QUEUED).kind == RunKind.VALIDATE


def test_an_unfinished_run_cannot(engineer: Client, woken: list[uuid.UUID]) -> None:
    running = add_run(fill(), RunState.RUNNING)

    answer = engineer.post(f"/runs/{running.pk}/again")

    assert answer.status_code == 409
    assert "has not ended yet" in answer.content.decode()
    assert IngestionRun.objects.count() == 2


@pytest.mark.parametrize("who", ["viewer", "stranger", "anonymous"])
def test_others_may_not_and_nothing_changes(who: str, request: pytest.FixtureRequest, woken: list[uuid.UUID]) -> None:
    client: Client = request.getfixturevalue(who)
    run = add_run(fill(), RunState.FAILED)

    expected = 302 if who == "anonymous" else 403
    assert client.post("/groups/finance/runs").status_code == expected
    assert client.post(f"/runs/{run.pk}/again").status_code == expected
    assert IngestionRun.objects.count() == 2
    assert woken == []


def test_buttons_need_the_forms_token(engineer: Client, woken: list[uuid.UUID]) -> None:
    fill()
    checked = Client(enforce_csrf_checks=True, headers=None)
    checked.cookies = engineer.cookies

    assert checked.post("/groups/finance/runs").status_code == 403
    assert IngestionRun.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_posting_asks_for_a_run(method: str, engineer: Client, woken: list[uuid.UUID]) -> None:
    fill()
    assert getattr(engineer, method)("/groups/finance/runs").status_code == 405


def test_nonsense_is_refused(engineer: Client, woken: list[uuid.UUID]) -> None:
    fill()
    assert engineer.post("/groups/finance/runs", {"kind": "explode"}).status_code == 400
    assert engineer.post("/groups/nothing/runs").status_code == 404
    assert IngestionRun.objects.count() == 1

"""Pages of runs, and the buttons that ask for one."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.clock import now
from catalog.models import Feature, FeatureGroup, Status
from ingestion.models import IngestionRun, RuleResult, RunKind, RunState, ValidationReport
from ingestion.views import requests as run_requests
from tests.api.asking import ask, caller, error_of
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


def add_runs(group: FeatureGroup, *seconds: float) -> list[IngestionRun]:
    """Succeeded runs that took so long, the last given the newest."""
    found = []
    for back, took in enumerate(reversed(seconds)):
        started = now() - timedelta(hours=back + 1)
        run = add_run(group, created_at=started, started_at=started, finished_at=started + timedelta(seconds=took))
        found.append(run)
    return list(reversed(found))


def test_a_duration_is_told_against_what_is_usual(viewer: Client) -> None:
    fill("other")
    group = fill()
    IngestionRun.objects.all().delete()
    newest = add_runs(group, 10, 11, 12, 13, 14, 40)[-1]

    html = page(viewer, "/runs/")
    assert html.count("drawing--percentiles") == 6
    assert html.count("longer than usual") == 3  # of the drawing twice, and beside it
    one = page(viewer, f"/runs/{newest.pk}/")
    assert "40 seconds, longer than usual" in one
    assert "half of the last 6 runs" in one


def test_few_runs_are_no_measure(viewer: Client) -> None:
    run = add_run(fill())

    assert "Nothing is usual yet: fewer than 5 runs" in page(viewer, f"/runs/{run.pk}/")
    assert "drawing--percentiles" not in page(viewer, "/runs/")


def test_the_last_day_has_a_lane_per_group(viewer: Client) -> None:
    group, other = fill(), fill("second")
    failed = add_run(other, RunState.FAILED)
    add_run(group, created_at=now() - timedelta(days=2))

    html = page(viewer, "/runs/")

    assert html.count('class="d-lane"') == 2
    assert f'<a href="/runs/{failed.pk}/" aria-label="ingestion: failed, ' in html
    assert html.count("d-run__bar") == 3
    assert "Nothing ran in the last 24 hours" not in html
    assert page(viewer, "/runs/?group=second").count('class="d-lane"') == 1


def test_a_quiet_day_says_so(viewer: Client) -> None:
    group = fill()
    IngestionRun.objects.all().delete()
    add_run(group, created_at=now() - timedelta(days=2))

    assert "Nothing ran in the last 24 hours" in page(viewer, "/runs/")


def test_the_list_asks_for_itself_anew(viewer: Client) -> None:
    group = fill()
    assert 'hx-trigger="every 30s"' in page(viewer, "/runs/?state=")
    add_run(group, RunState.RUNNING, progress=0.5)

    part = viewer.get("/runs/?group=finance", headers={"HX-Request": "true", "HX-Target": "runs-live"})

    html = part.content.decode()
    assert html.lstrip().startswith('<div id="runs-live"')
    assert 'hx-get="/runs/?group=finance" hx-trigger="every 4s"' in html
    assert 'value="0.500"' in html
    assert "<html" not in html
    assert "HX-Target" in part["Vary"]


def test_a_run_asks_for_itself_until_it_has_ended(viewer: Client, stranger: Client) -> None:
    run = add_run(fill(), RunState.RUNNING, progress=0.25, step="validate")
    polled = {"HX-Request": "true", "HX-Target": "run-live"}
    assert f'hx-get="/runs/{run.pk}/" hx-trigger="every 4s"' in page(viewer, f"/runs/{run.pk}/")

    part = viewer.get(f"/runs/{run.pk}/", headers=polled)
    assert "checking rows, 25%" in part.content.decode()
    assert part.content.decode().lstrip().startswith('<div id="run-live"')
    assert stranger.get(f"/runs/{run.pk}/", headers=polled).status_code == 403

    IngestionRun.objects.filter(pk=run.pk).update(state=RunState.SUCCEEDED, finished_at=now())
    assert viewer.get(f"/runs/{run.pk}/", headers=polled)["HX-Refresh"] == "true"
    assert 'id="run-live"' not in page(viewer, f"/runs/{run.pk}/")


def stopped(group: FeatureGroup) -> IngestionRun:
    run = add_run(group, RunState.FAILED, error="a rule of severity fail was broken", rows_read=1000)
    report = ValidationReport.objects.create(group=group, run=run, created_at=now(), passed=False, row_count=0)
    RuleResult.objects.create(
        report=report,
        version=group.features.get(name="finance_f0").default_version,
        rule="max_value",
        severity="fail",
        passed=False,
        checked=1000,
        failed=66,
        message="above 80 (up to 4711)",
        sample=[{"entity_key": "c-7", "value": 4711}],
    )
    return run


def test_a_run_that_a_rule_stopped_shows_the_rows_that_broke_it(viewer: Client, steward: Client) -> None:
    group = fill()
    run = stopped(group)

    html = page(viewer, f"/runs/{run.pk}/")
    why = html[html.index("Why it failed") : html.index('<dl class="tiles">')]
    assert "above 80 (up to 4711)" in why
    assert re.findall(r"<td>([^<]*)</td>", why) == ["c-7", "4,711"]

    Feature.objects.filter(name="finance_f0").update(sensitivity="personal")
    html = page(viewer, f"/runs/{run.pk}/")
    why = html[html.index("Why it failed") : html.index('<dl class="tiles">')]
    assert "4711" not in why
    assert "c-7" not in why
    assert "66 of 1,000 rows broke it" in why
    assert "4,711" in page(steward, f"/runs/{run.pk}/")


def test_what_became_of_the_rows(viewer: Client) -> None:
    run = add_run(fill(), rows_read=100, rows_appended=60, rows_unchanged=30, rows_rejected=10)

    html = page(viewer, f"/runs/{run.pk}/")

    table = html[html.index('id="rows"') :]
    assert "<tr><td>appended to history</td><td>60</td><td>60%</td></tr>" in table
    assert "<tr><td>kept out</td><td>10</td><td>10%</td></tr>" in table


def test_two_runs_side_by_side(viewer: Client) -> None:
    group = fill()
    first = IngestionRun.objects.get()
    second = stopped(group)
    IngestionRun.objects.filter(pk=first.pk).update(created_at=now() - timedelta(hours=2), rows_read=900)

    html = page(viewer, f"/runs/compare/?run={second.pk}&run={first.pk}")

    assert re.search(
        r'<th scope="row">Read</th><td>900</td><td><strong>1,000</strong></td><td class="nowrap">\+100</td>', html
    )
    assert html.index(f"/runs/{first.pk}/") < html.index(f"/runs/{second.pk}/")
    rule = html[html.index('<span class="mono">finance_f0 v1</span>') :]
    assert re.findall(r'<td class="number">(\d+)', rule)[:2] == ["200", "66"]
    assert "−134" in rule.replace("-134", "−134")
    assert "4711" not in html
    assert f'href="/runs/compare/?run={first.pk}&amp;run={second.pk}"' in page(viewer, f"/runs/{second.pk}/")


def test_what_cannot_be_compared_is_said(viewer: Client, steward: Client) -> None:
    group = fill()
    run, other = IngestionRun.objects.get(), add_run(group)
    assert viewer.get("/runs/compare/").status_code == 400
    assert viewer.get(f"/runs/compare/?run={run.pk}&run={run.pk}").status_code == 400
    assert viewer.get(f"/runs/compare/?run={run.pk}&run=nonsense").status_code == 400
    assert viewer.get(f"/runs/compare/?run={run.pk}&run={uuid.uuid4()}").status_code == 404
    FeatureGroup.objects.update(status=Status.ARCHIVED)
    both = f"/runs/compare/?run={run.pk}&run={other.pk}"
    assert viewer.get(both).status_code == 404
    assert steward.get(both).status_code == 200


def test_the_comparison_as_json(viewer: Client) -> None:
    group = fill()
    first = IngestionRun.objects.get()
    second = stopped(group)
    client = caller(Role.VIEWER)

    status, body = ask(client, f"runs/compare?run={first.pk}&run={second.pk}")

    assert status == 200
    lines = {line["name"]: (line["first"], line["second"], line["difference"]) for line in body["lines"]}
    assert lines["Read"] == ("1,234,567", "1,000", "−1,233,567")
    assert body["rules"][0]["differs"]
    assert {(one["feature"], one["first"], one["second"]) for one in body["rules"]} >= {
        ("finance_f0 v1", 200, 66),
        ("finance_f1 v1", 200, None),
    }
    assert error_of(ask(client, "runs/compare")) == (400, "invalid_input")
    assert error_of(ask(client, f"runs/compare?run={first.pk}&run={uuid.uuid4()}")) == (404, "not_found")
    assert error_of(ask(caller(None), "runs/compare")) == (403, "permission_denied")


def test_few_queries_and_few_bytes(viewer: Client) -> None:
    group = fill()
    first = IngestionRun.objects.get()
    second = stopped(group)
    addresses = ("/runs/", f"/runs/{second.pk}/", f"/runs/compare/?run={first.pk}&run={second.pk}")
    counted = {}
    for address in addresses:
        page(viewer, address)
        with CaptureQueriesContext(connection) as few:
            page(viewer, address)
        counted[address] = len(few)
    for number in range(12):
        other = fill(f"group_{number}", features=4)
        add_runs(other, *range(10, 30))
    for address in addresses:
        with CaptureQueriesContext(connection) as many:
            html = page(viewer, address)
        assert len(many) == counted[address], [query["sql"] for query in many]
        assert len(many) <= 15, [query["sql"] for query in many]
        assert len(html.encode()) < 120_000

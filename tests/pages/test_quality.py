"""The quality page and its JSON: the days of the groups, what is failing and late, what has drifted."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureGroup, Status
from ingestion.models import RuleResult, RunState, ValidationReport
from ingestion.quality.days import DayState, RunOfDay, days_of, last_days
from serving.models import MaterializedTable
from tests.api.asking import ask, caller, error_of
from tests.pages.filled import add_run, fill

pytestmark = pytest.mark.django_db
TODAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def page(client: Client, address: str = "/quality/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def add_drift(group: FeatureGroup, *, measured: float, threshold: float, feature: str = "finance_f0") -> None:
    report = ValidationReport.objects.create(group=group, created_at=now(), passed=True, row_count=10)
    RuleResult.objects.create(
        report=report,
        version=group.features.get(name=feature).default_version,
        rule="drift",
        severity="warn",
        passed=measured <= threshold,
        checked=10,
        failed=0,
        measured=measured,
        threshold=threshold,
        ratio=measured / threshold,
    )


def ran(hour: int, state: str = "succeeded", passed: bool | None = None, *, back: int = 0) -> RunOfDay:
    return RunOfDay(id=f"{back}-{hour}", at=TODAY.replace(hour=hour) - timedelta(days=back), state=state, passed=passed)


@pytest.mark.parametrize(
    ("runs", "state", "run"),
    [
        ([ran(3), ran(9, passed=True)], DayState.GOOD, "0-9"),
        ([ran(3, "failed"), ran(9)], DayState.WARN, "0-3"),
        ([ran(3, passed=False), ran(9, passed=True)], DayState.WARN, "0-3"),
        ([ran(3), ran(9, "failed")], DayState.BAD, "0-9"),
        ([ran(3, passed=True), ran(9, passed=False)], DayState.BAD, "0-9"),
        ([ran(9, passed=False), ran(3, passed=True)], DayState.BAD, "0-9"),
        ([ran(3, "failed"), replace(ran(9, passed=True), ingests=False)], DayState.BAD, "0-3"),
        ([ran(3, "running")], DayState.RUNNING, "0-3"),
        ([ran(3, "failed"), ran(9, "running")], DayState.BAD, "0-3"),
    ],
)
def test_what_a_day_comes_to(runs: list[RunOfDay], state: DayState, run: str) -> None:
    found = days_of(runs, days=[TODAY.date()], late=False)[0]
    assert found is not None
    assert (found.state, found.run, found.runs) == (state, run, len(runs))


def test_days_without_runs_are_empty_and_only_today_can_be_late() -> None:
    days = last_days(TODAY, count=3)
    assert days == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    found = days_of([ran(3, back=2), ran(4, back=9)], days=days, late=True)
    assert [None if one is None else (one.state, one.runs) for one in found] == [
        (DayState.GOOD, 1), None, (DayState.LATE, 0),
    ]  # fmt: skip
    bad = days_of([ran(3, "failed")], days=days[-1:], late=True)[0]
    assert bad is not None
    assert bad.state == DayState.BAD


def test_nothing_ingested_yet_says_so(viewer: Client) -> None:
    assert "No group is ingested yet" in page(viewer)


def test_a_check_that_fell_short_is_failing_with_its_reasons(viewer: Client) -> None:
    group = fill()
    run = group.runs.get()

    html = page(viewer)

    assert "finance_f0: validity 80% is below 90%" in html
    assert re.search(rf'<a href="/runs/{run.pk}/"><title>finance, \d\d \w+: failing, 1 run, 1 fell short</title>', html)
    assert "d-cell--bad" in html


def test_messages_about_closed_values_are_not_told(viewer: Client, steward: Client) -> None:
    group = fill()
    group.features.update(sensitivity="personal")

    assert "validity 80% is below 90%" not in page(viewer)
    assert "validity 80% is below 90%" in page(steward)


def test_a_failed_ingestion_is_failing_until_the_next_succeeds(viewer: Client) -> None:
    group = fill()
    ValidationReport.objects.update(passed=True, shortfalls=[])
    add_run(group, RunState.FAILED, created_at=now(), error="secret-177")

    html = page(viewer)
    assert "the last ingestion failed" in html
    assert "secret-177" not in html

    add_run(group, created_at=now())
    html = page(viewer)
    assert "the last ingestion failed" not in html
    assert "mended the same day, 3 runs, 1 failed" in html


def test_late_groups_with_their_promise(viewer: Client) -> None:
    fill()
    FeatureGroup.objects.update(freshness=timedelta(days=2))
    MaterializedTable.objects.update(newest_event=now() - timedelta(days=5, hours=1))

    html = page(viewer)

    late = html[html.index('id="late"') : html.index('id="drift"')]
    assert "5 days ago" in late
    assert "2 days" in late


def test_the_league_is_by_multiples_of_the_threshold(viewer: Client) -> None:
    group = fill()
    assert "Not computed: drift is measured" in page(viewer)
    report = ValidationReport.objects.create(group=group, created_at=now(), passed=True, row_count=10)
    for name, measured, threshold in (("finance_f0", 0.3, 0.6), ("finance_f1", 0.25, 0.1), ("finance_f2", 0.1, 0.1)):
        RuleResult.objects.create(
            report=report,
            version=group.features.get(name=name).default_version,
            rule="drift",
            severity="warn",
            passed=measured <= threshold,
            checked=10,
            failed=0,
            measured=measured,
            threshold=threshold,
            ratio=measured / threshold,
        )

    html = page(viewer)

    league = html[html.index('id="drift"') :]
    assert re.findall(r'class="mono" href="[^"]*">(finance_f\d)<', league) == ["finance_f1", "finance_f2", "finance_f0"]
    assert re.findall(r"(\d\.\d×)", league) == ["2.5×", "1.0×", "0.5×"]
    assert league.count("badge--warn") == 1


def test_only_what_is_wrong(viewer: Client) -> None:
    fill()
    fill("second")
    ValidationReport.objects.filter(group__name="second").update(passed=True, shortfalls=[])

    assert ">second<" in page(viewer)
    assert 'class="d-label" text-anchor="end">second<' not in page(viewer, "/quality/?only=wrong")
    assert viewer.get("/quality/?only=red").status_code == 400


def test_hidden_groups_are_not_counted(viewer: Client, steward: Client) -> None:
    fill()
    FeatureGroup.objects.update(status=Status.ARCHIVED)

    assert "finance" not in page(viewer)
    assert "finance" not in page(steward)


def test_few_queries_and_few_bytes(viewer: Client) -> None:
    group = fill(features=5)
    add_drift(group, measured=0.3, threshold=0.1)
    page(viewer)
    with CaptureQueriesContext(connection) as few:
        page(viewer)
    for number in range(25):
        name = f"group_{number}"
        other = fill(name, features=4)
        add_drift(other, measured=0.3, threshold=0.1, feature=f"{name}_f0")
        for back in range(30):
            add_run(other, RunState.FAILED, created_at=now() - timedelta(days=back))
    with CaptureQueriesContext(connection) as many:
        html = page(viewer)
    assert len(many) == len(few), [query["sql"] for query in many]
    assert len(many) <= 15, [query["sql"] for query in many]
    assert len(html.encode()) < 120_000


def test_the_json_says_the_same(viewer: Client) -> None:
    group = fill()
    add_drift(group, measured=0.3, threshold=0.1)
    client = caller(Role.VIEWER)

    status, body = ask(client, "quality")

    assert (status, len(body["groups"])) == (200, 1)
    told = body["groups"][0]
    assert (told["group"], told["is_failing"], told["is_late"]) == ("finance", False, False)
    assert [(day["state"], day["run"], day["fell_short"]) for day in told["days"]] == [
        ("bad", str(group.runs.get().pk), 1)
    ]
    assert [(one["feature"], one["ratio"], one["history"]) for one in body["drift"]] == [
        ("finance_f0", pytest.approx(3.0), [0.3])
    ]
    assert ask(client, "quality", only="wrong")[1]["groups"] == []
    assert ask(client, "quality", group="other")[1]["groups"] == []
    assert error_of(ask(client, "quality", only="red")) == (400, "invalid_input")
    assert error_of(ask(client, "quality", colour="red")) == (400, "invalid_input")
    assert error_of(ask(caller(None), "quality")) == (403, "permission_denied")
    assert error_of(ask(Client(), "quality")) == (401, "not_authenticated")

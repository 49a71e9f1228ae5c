"""GET runs/last-day: what ran and what was due, as the page of runs draws it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureGroup, Status
from ingestion.models import RunKind, RunState
from ingestion.schedules import INGEST
from tests.api.asking import ask, caller, error_of
from tests.api.described_catalog import run
from tests.stocked_store import make_group

pytestmark = pytest.mark.django_db
URL = "runs/last-day"


def scheduled(name: str, minute: str = "0", hour: str = "*/6", **fields: Any) -> FeatureGroup:
    """A group of three days ago whose schedule has it ingested at four times a day."""
    group = make_group(name)
    FeatureGroup.objects.filter(pk=group.pk).update(created_at=now() - timedelta(days=3))
    line = CrontabSchedule.objects.create(minute=minute, hour=hour, timezone="UTC")
    PeriodicTask.objects.create(
        name=f"ingest {name}", task=INGEST, crontab=line, kwargs=f'{{"group": "{name}"}}', **fields
    )
    return group


def ran(group: FeatureGroup, *, hours: float, **fields: Any) -> Any:
    began = now() - timedelta(hours=hours)
    return run(group, created_at=began, started_at=began, finished_at=began + timedelta(seconds=90), **fields)


def test_what_ran_and_when_it_was_due() -> None:
    group = scheduled("finance")
    made = ran(group, hours=2, state=RunState.FAILED, error="the source is away")
    ran(group, hours=25)

    status, body = ask(caller(Role.VIEWER), URL)

    assert status == 200
    [told] = body["groups"]
    assert (told["group"], told["schedule"], len(told["due"])) == ("finance", "0 */6 * * * UTC", 4)
    assert {at[11:] for at in told["due"]} == {"00:00:00Z", "06:00:00Z", "12:00:00Z", "18:00:00Z"}
    assert told["due"] == sorted(told["due"])
    [one] = told["runs"]
    assert (one["id"], one["state"], one["kind"], one["seconds"]) == (str(made.pk), "failed", "ingest", 90.0)
    assert (body["left_out"], body["groups_left_out"]) == (0, 0)


def test_a_group_that_was_due_and_did_not_run_stands_behind_those_that_ran() -> None:
    scheduled("absent")
    scheduled("paused", enabled=False)
    ran(make_group("unscheduled"), hours=1)

    groups = ask(caller(Role.VIEWER), URL)[1]["groups"]

    assert [(one["group"], len(one["due"]), len(one["runs"])) for one in groups] == [
        ("unscheduled", 0, 1),
        ("absent", 4, 0),
    ]


def test_nothing_was_due_before_the_group_was_made() -> None:
    group = scheduled("new", minute="*", hour="*")
    FeatureGroup.objects.filter(pk=group.pk).update(created_at=now() - timedelta(minutes=10))

    [told] = ask(caller(Role.VIEWER), URL)[1]["groups"]

    assert len(told["due"]) == 10


@pytest.mark.parametrize(
    ("query", "groups", "due"),
    [
        ({"group": "finance"}, ["finance"], True),
        ({"state": "failed"}, ["other"], False),
        ({"kind": "validate"}, [], False),
        ({"kind": RunKind.INGEST.value}, ["other"], False),
    ],
)
def test_the_filters_of_the_page(query: dict[str, str], groups: list[str], due: bool) -> None:
    scheduled("finance")
    ran(scheduled("other"), hours=1, state=RunState.FAILED)

    told = ask(caller(Role.VIEWER), URL, **query)[1]["groups"]

    assert [one["group"] for one in told] == groups
    assert all(bool(one["due"]) is due for one in told)


def test_only_of_groups_that_the_caller_may_know_of() -> None:
    group = scheduled("secret")
    ran(group, hours=1)
    FeatureGroup.objects.update(status=Status.ARCHIVED)

    assert ask(caller(Role.VIEWER), URL)[1]["groups"] == []
    # Whoever edits the catalog sees its runs; an archived group is not due, as nothing ingests it.
    [told] = ask(caller(Role.STEWARD), URL)[1]["groups"]
    assert (told["group"], told["due"], len(told["runs"])) == ("secret", [], 1)
    assert error_of(ask(caller(None, "stig"), URL)) == (403, "permission_denied")
    assert error_of(ask(caller(Role.VIEWER, "vic"), URL, page=2)) == (400, "invalid_input")
    assert error_of(ask(caller(Role.VIEWER, "vid"), URL, state="odd")) == (400, "invalid_input")


def test_queries_do_not_grow() -> None:
    ran(scheduled("first"), hours=1)
    viewer = caller(Role.VIEWER)
    ask(viewer, URL)
    with CaptureQueriesContext(connection) as few:
        ask(viewer, URL)
    for number in range(8):
        ran(scheduled(f"group_{number}"), hours=2)
    with CaptureQueriesContext(connection) as many:
        assert len(ask(viewer, URL)[1]["groups"]) == 9
    assert len(many) == len(few)

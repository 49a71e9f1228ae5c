"""Starting runs and switching schedules from the admin."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from catalog.models import FeatureGroup, Status
from ingestion.admin import group_actions, runs
from ingestion.models import IngestionRun, RunState
from tests.admin.conftest import Stocked, events_after, newest_event


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The runs for which a worker was woken."""
    ids: list[UUID] = []
    monkeypatch.setattr(group_actions, "wake_worker", ids.append)
    monkeypatch.setattr(runs, "wake_worker", ids.append)
    return ids


def act(client: Client, model: str, action: str, row: object) -> Any:
    return client.post(
        reverse(f"admin:{model}_changelist"), {"action": action, "_selected_action": [str(row)]}, follow=True
    )


@pytest.mark.parametrize(("action", "kind"), [("ingest_now", "ingest"), ("validate_now", "validate")])
def test_engineers_start_runs(
    action: str,
    kind: str,
    engineer: Client,
    stocked: Stocked,
    woken: list[UUID],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = act(engineer, "catalog_featuregroup", action, stocked.group.pk)

    run = IngestionRun.objects.get(state=RunState.QUEUED)
    assert (run.group, run.kind, run.trigger, run.requested_by) == (stocked.group, kind, "admin", "enno")
    assert woken == [run.pk]
    assert reverse("admin:ingestion_ingestionrun_change", args=[run.pk]) in answer.content.decode()


def test_archived_groups_are_not_run(engineer: Client, stocked: Stocked, woken: list[UUID]) -> None:
    FeatureGroup.objects.update(status=Status.ARCHIVED)

    answer = act(engineer, "catalog_featuregroup", "ingest_now", stocked.group.pk)

    assert "Archived groups have no runs: finance" in answer.content.decode()
    assert not IngestionRun.objects.filter(state=RunState.QUEUED).exists()


def test_scientists_start_none(scientist: Client, stocked: Stocked, woken: list[UUID]) -> None:
    act(scientist, "catalog_featuregroup", "ingest_now", stocked.group.pk)

    assert not IngestionRun.objects.filter(state=RunState.QUEUED).exists()
    assert woken == []


def test_what_failed_is_requested_again(
    engineer: Client, stocked: Stocked, woken: list[UUID], django_capture_on_commit_callbacks: Any
) -> None:
    failed = IngestionRun.objects.get()

    with django_capture_on_commit_callbacks(execute=True):
        act(engineer, "ingestion_ingestionrun", "retry_selected", failed.pk)

    again = IngestionRun.objects.get(state=RunState.QUEUED)
    failed.refresh_from_db()
    assert (again.trigger, failed.state, woken) == ("retry", RunState.FAILED, [again.pk])


def test_what_succeeded_is_not(engineer: Client, stocked: Stocked, woken: list[UUID]) -> None:
    IngestionRun.objects.update(state=RunState.SUCCEEDED)

    answer = act(engineer, "ingestion_ingestionrun", "retry_selected", IngestionRun.objects.get().pk)

    assert "nothing was requested" in answer.content.decode()
    assert IngestionRun.objects.count() == 1


def test_switching_a_schedule_off_is_audited(engineer: Client, stocked: Stocked) -> None:
    task, first = PeriodicTask.objects.get(), newest_event()

    act(engineer, "django_celery_beat_periodictask", "disable_tasks", task.pk)

    [event] = events_after(first)
    assert (event.object_name.split(":")[0], event.actor) == ("ingest finance", "enno")
    assert (event.before, event.after) == ({"enabled": True}, {"enabled": False})


def test_a_new_time_is_audited(engineer: Client, stocked: Stocked) -> None:
    schedule, first = CrontabSchedule.objects.get(), newest_event()
    form = {
        **{"minute": "30", "hour": "*/6", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*"},
        "timezone": "UTC",
        "periodictask_set-TOTAL_FORMS": "0",
        "periodictask_set-INITIAL_FORMS": "0",
    }

    address = reverse("admin:django_celery_beat_crontabschedule_change", args=[schedule.pk])
    assert engineer.post(address, form).status_code == 302

    [event] = events_after(first)
    assert (event.before, event.after) == ({"minute": "0"}, {"minute": "30"})


def test_scientists_switch_nothing(scientist: Client, stocked: Stocked) -> None:
    answer = act(scientist, "django_celery_beat_periodictask", "disable_tasks", PeriodicTask.objects.get().pk)

    assert answer.status_code == 403
    assert PeriodicTask.objects.get().enabled

from __future__ import annotations

import json

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from catalog.errors import InvalidInput
from catalog.models import AuditEvent, Entity, FeatureGroup, Status
from catalog.registration import ChangeKind
from ingestion.schedules import HOUSEKEEPING, sync_schedules

pytestmark = pytest.mark.django_db

SIX_HOURS = "0 */6 * * *"


@pytest.fixture
def group() -> FeatureGroup:
    entity = Entity.objects.create(name="customer", join_keys=["customer_id"])
    return FeatureGroup.objects.create(name="finance", entity=entity, source="warehouse", source_table="t")


def sync(default: str = SIX_HOURS, *, enabled: bool = True) -> dict[str, ChangeKind]:
    return {change.name: change.kind for change in sync_schedules(default=default, enabled=enabled)}


def task(name: str = "ingest finance") -> PeriodicTask:
    return PeriodicTask.objects.get(name=name)


def line(name: str = "ingest finance") -> str:
    crontab = task(name).crontab
    return f"{crontab.minute} {crontab.hour} {crontab.day_of_month} {crontab.month_of_year} {crontab.day_of_week}"


def test_each_group_and_housekeeping_get_a_schedule_in_utc(group: FeatureGroup) -> None:
    assert set(sync().values()) == {ChangeKind.ADDED}
    made = task()
    assert (made.task, json.loads(made.kwargs), made.enabled) == (
        "ingestion.tasks.ingest_group",
        {"group": "finance"},
        True,
    )
    assert (line(), str(made.crontab.timezone)) == (SIX_HOURS, "UTC")
    assert [task(item.name).task for item in HOUSEKEEPING] == [
        "ingestion.tasks.resume_runs",
        "serving.tasks.resume_datasets",
        "ingestion.tasks.materialize_due",
        "ingestion.tasks.expire_online",
        "ingestion.tasks.compact_histories",
        "ingestion.tasks.fold_access_log",
        "ingestion.tasks.forget_search_changes",
        "ingestion.tasks.write_reports",
        "featurestore_site.tasks.back_up_daily",
        "featurestore_site.tasks.clear_broker",
    ]


def test_again_changes_nothing(group: FeatureGroup) -> None:
    sync()
    events, stamp = AuditEvent.objects.count(), task().date_changed
    assert set(sync().values()) == {ChangeKind.UNCHANGED}
    assert (AuditEvent.objects.count(), task().date_changed) == (events, stamp)
    assert CrontabSchedule.objects.count() == 8


def test_a_group_may_have_its_own_line(group: FeatureGroup) -> None:
    FeatureGroup.objects.update(schedule="5 4 * * 1")
    sync()
    assert line() == "5 4 * * 1"


def test_what_a_person_edits_stays_until_the_configuration_says_something_else(group: FeatureGroup) -> None:
    sync()
    edited = task()
    edited.crontab = CrontabSchedule.objects.create(minute="7", hour="7")
    edited.enabled = False
    edited.save()
    sync()
    assert (line(), task().enabled) == ("7 7 * * *", False)
    assert sync("0 1 * * *")["ingest finance"] is ChangeKind.UPDATED
    assert (line(), task().enabled) == ("0 1 * * *", False)


def test_turned_off_pauses_and_turned_on_goes_on(group: FeatureGroup) -> None:
    sync()
    assert sync(enabled=False)["ingest finance"] is ChangeKind.UPDATED
    assert not task().enabled
    assert sync(enabled=False)["ingest finance"] is ChangeKind.UNCHANGED
    assert task("resume runs").enabled
    sync()
    assert task().enabled


def test_turned_off_from_the_start_makes_no_schedule_of_ingestion(group: FeatureGroup) -> None:
    sync(enabled=False)
    assert not PeriodicTask.objects.filter(task="ingestion.tasks.ingest_group").exists()


def test_a_deprecated_group_is_ingested_on_and_an_archived_one_is_not(group: FeatureGroup) -> None:
    sync()
    FeatureGroup.objects.update(status=Status.DEPRECATED)
    assert sync()["ingest finance"] is ChangeKind.UNCHANGED
    FeatureGroup.objects.update(status=Status.ARCHIVED)
    sync()
    assert not task().enabled
    assert set(sync().values()) == {ChangeKind.UNCHANGED}
    FeatureGroup.objects.update(status=Status.ACTIVE)
    sync()
    assert task().enabled


def test_a_schedule_of_a_person_is_left_alone(group: FeatureGroup) -> None:
    crontab = CrontabSchedule.objects.create(minute="1")
    PeriodicTask.objects.create(name="mine", task="ingestion.tasks.ingest_group", crontab=crontab, kwargs="{}")
    sync()
    assert task("mine").enabled


@pytest.mark.parametrize("cron", ["hourly", "61 * * * *", "* * *", "* * * * * *", "*/0 * * * *"])
def test_a_line_that_is_no_schedule_is_refused(group: FeatureGroup, cron: str) -> None:
    with pytest.raises(InvalidInput, match="is not a schedule"):
        sync(cron)
    assert not PeriodicTask.objects.filter(task="ingestion.tasks.ingest_group").exists()

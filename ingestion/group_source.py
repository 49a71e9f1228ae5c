"""Where a group is read from and when, for its page and the API alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django_celery_beat.models import PeriodicTask

from catalog.models import FeatureGroup
from ingestion.cron import CronLine, instants_of
from ingestion.models import Source
from ingestion.schedules import INGEST

_AHEAD = timedelta(days=7)


@dataclass(frozen=True)
class GroupSource:
    """``schedule`` is its cron line with the zone, or its interval, in words; empty where nothing is scheduled.

    ``next_due`` is None for an interval, for a paused schedule, and where nothing is due within a week.
    """

    source: Source | None
    schedule: str
    is_paused: bool
    next_due: datetime | None


def source_of(group: FeatureGroup, *, at: datetime) -> GroupSource:
    """Two queries."""
    source = Source.objects.filter(name=group.source).first()
    tasks = PeriodicTask.objects.select_related("crontab", "interval").filter(task=INGEST)
    task: Any = tasks.filter(kwargs__contains=f'"{group.name}"').order_by("-enabled", "pk").first()
    if task is None:
        return GroupSource(source, "", is_paused=False, next_due=None)
    cron = task.crontab
    if cron is None:
        return GroupSource(source, str(task.interval or task.schedule), is_paused=not task.enabled, next_due=None)
    line = CronLine(cron.minute, cron.hour, cron.day_of_month, cron.month_of_year, cron.day_of_week)
    zone = str(cron.timezone)
    ahead = instants_of(line, start=at, end=at + _AHEAD, zone=zone) if task.enabled else []
    return GroupSource(source, f"{line.text} {zone}", is_paused=not task.enabled, next_due=next(iter(ahead), None))

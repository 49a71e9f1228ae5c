"""What ran in the last day and what was due, by group: for the page of runs and its JSON alike."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask

from catalog.access import Reader
from catalog.models import FeatureGroup
from ingestion.cron import CronLine, instants_of
from ingestion.filters import RunFilter
from ingestion.models import IngestionRun
from ingestion.schedules import INGEST

DAY = timedelta(days=1)
MOST_RUNS, MOST_GROUPS = 90, 20


@dataclass(frozen=True)
class GroupDay:
    """The runs of one group, newest first, and the instants at which its schedule had one due, oldest first.

    ``schedule`` is the cron line with its zone; empty where the group has none, or a paused one.
    """

    group: str
    runs: tuple[IngestionRun, ...]
    due: tuple[datetime, ...] = ()
    schedule: str = ""


@dataclass(frozen=True)
class LastDay:
    """``groups`` that ran come first, the latest on top, then those that were due and did not run, by name.

    ``left_out`` runs and ``groups_left_out`` groups are beyond what one drawing holds.
    """

    since: datetime
    until: datetime
    groups: tuple[GroupDay, ...]
    left_out: int
    groups_left_out: int

    @property
    def runs(self) -> int:
        return sum(len(one.runs) for one in self.groups)


def day_of(chosen: RunFilter, *, at: datetime, user: Reader) -> LastDay:
    """What of the ``chosen`` runs happened in the day before ``at``, and what was due as far as ``user`` may know of
    the groups. Three queries.

    Nothing is told as due where the runs are chosen by state, trigger or kind: who asks for failed runs sees few of a
    group that missed nothing.
    """
    since = at - DAY
    runs: QuerySet[IngestionRun] = chosen.qs
    recent = list(runs.filter(created_at__gte=since).order_by("-created_at", "-id")[: MOST_RUNS + 1])
    ran: dict[str, list[IngestionRun]] = defaultdict(list)
    for run in recent[:MOST_RUNS]:
        ran[run.group.name].append(run)
    asked = {name: value for name, value in chosen.form.cleaned_data.items() if value}
    groups = asked.pop("group", ())
    scheduled = {} if asked else _scheduled(since, at, user=user, groups=groups)
    idle = sorted(name for name, one in scheduled.items() if one.due and name not in ran)
    names = [*ran, *idle]
    shown = [
        GroupDay(name, tuple(ran.get(name, ())), known.due, known.schedule)
        for name in names[:MOST_GROUPS]
        for known in (scheduled.get(name, GroupDay(name, ())),)
    ]
    told = sum(len(one.runs) for one in shown)
    return LastDay(
        since=since,
        until=at,
        groups=tuple(shown),
        left_out=len(recent) - told,
        groups_left_out=max(len(names) - MOST_GROUPS, 0),
    )


def _scheduled(since: datetime, until: datetime, *, user: Reader, groups: Collection[str]) -> Mapping[str, GroupDay]:
    """By name, the groups that a cron line has ingested; what was due before the group was made was not missed."""
    tasks = PeriodicTask.objects.filter(task=INGEST, enabled=True, crontab__isnull=False).select_related("crontab")
    visible = FeatureGroup.objects.visible_to(user).ingested()
    made = dict((visible.filter(name__in=groups) if groups else visible).values_list("name", "created_at"))
    found: dict[str, GroupDay] = {}
    for task in tasks.order_by("pk"):
        name, cron = _group_of(task.kwargs), task.crontab
        if cron is None or name not in made:
            continue
        line = CronLine(cron.minute, cron.hour, cron.day_of_month, cron.month_of_year, cron.day_of_week)
        due = instants_of(line, start=max(since, made[name]), end=until, zone=str(cron.timezone))
        known = found.get(name, GroupDay(name, ()))
        schedule = f"{line.text} {cron.timezone}"
        found[name] = GroupDay(
            name, (), tuple(sorted({*known.due, *due})), "; ".join(filter(None, (known.schedule, schedule)))
        )
    return found


def _group_of(kwargs: str) -> str:
    """The group that a schedule names; empty where a person has written something else there."""
    try:
        return str(json.loads(kwargs or "{}").get("group", ""))
    except (ValueError, AttributeError):
        return ""

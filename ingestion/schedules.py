"""The schedules of ingestion and housekeeping, as rows that people edit in the admin.

The configuration and people share these rows. Each remembers, in its headers, the line that the configuration
declared when it was last set: only when that line changes is the row set anew, so that what a person has changed
stays until the configuration says something else. A row is never deleted: the schedule of a group that is archived,
or whose ingestion the configuration turns off, is paused, and goes on when that ends. A deprecated group is ingested
on, as its values are still served.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from django.db import IntegrityError, transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from catalog.audit import record
from catalog.models import FeatureGroup
from catalog.registration.changes import Change, ChangeKind, Detail
from ingestion.cron import parse_cron

INGEST = "ingestion.tasks.ingest_group"
HEADER = "featurestore"
NONE = "none"
# Housekeeping that no worker took by the time it comes again is not worth catching up with.
EXPIRE_SECONDS = 60
MINUTELY = "* * * * *"


@dataclass(frozen=True)
class Housekeeping:
    """A periodic task that the store itself needs."""

    name: str
    task: str
    cron: str
    description: str


HOUSEKEEPING = (
    Housekeeping("resume runs", "ingestion.tasks.resume_runs", MINUTELY, "Runs whose worker or message was lost."),
    Housekeeping("resume datasets", "serving.tasks.resume_datasets", MINUTELY, "Training datasets left unbuilt."),
    Housekeeping("materialize due", "ingestion.tasks.materialize_due", MINUTELY, "Values whose time has come."),
    Housekeeping("expire online", "ingestion.tasks.expire_online", "20 * * * *", "Rows in Redis too old to answer."),
    Housekeeping("compact histories", "ingestion.tasks.compact_histories", "40 2 * * *", "Few sorted files."),
    Housekeeping("fold access log", "ingestion.tasks.fold_access_log", MINUTELY, "Counts reads into usage."),
    Housekeeping("forget search changes", "ingestion.tasks.forget_search_changes", "25 * * * *", "Long taken over."),
    Housekeeping("write reports", "ingestion.tasks.write_reports", "15 3 * * *", "The feature documentation."),
    # The tasks of the site stand above this app; the schedule knows them by name only.
    Housekeeping("back up", "featurestore_site.tasks.back_up_daily", "45 2 * * *", "When backup_enabled is set."),
    Housekeeping("clear broker", "featurestore_site.tasks.clear_broker", "30 * * * *", "Files of messages long taken."),
)


@dataclass(frozen=True)
class _Wanted:
    name: str
    task: str
    cron: str | None
    kwargs: dict[str, str]
    description: str
    expire_seconds: int | None = None


@dataclass(frozen=True)
class _Memory:
    """What the configuration said when it last set a row, and whether it has paused it."""

    declared: str = ""
    paused: bool = False

    @classmethod
    def of(cls, task: PeriodicTask) -> _Memory:
        try:
            kept = json.loads(task.headers or "{}").get(HEADER, {})
            return cls(declared=str(kept.get("declared", "")), paused=bool(kept.get("paused", False)))
        except (ValueError, AttributeError):
            return cls()  # A person wrote something else there.

    def write(self, task: PeriodicTask) -> None:
        task.headers = json.dumps({HEADER: asdict(self)})


def plan_schedules(*, groups: Iterable[tuple[str, str]], default: str, enabled: bool) -> tuple[Change, ...]:
    """What :func:`sync_schedules` would do for groups given as (name, schedule), such as those not yet registered."""
    wanted = [_ingestion(name, schedule, default=default, enabled=enabled) for name, schedule in groups]
    return tuple(_changes(wanted))


def sync_schedules(*, default: str, enabled: bool) -> tuple[Change, ...]:
    """Make a schedule for every group that is ingested, and for housekeeping; what was done, per schedule.

    ``default`` is the cron line (UTC) of groups that have none; ``enabled`` is whether groups are ingested by schedule
    at all. Safe to run again, and in several processes at once.

    :raises InvalidInput: when a cron line cannot be read, naming the group.
    """
    for attempt in (1, 2, 3):
        try:
            with transaction.atomic():
                groups = FeatureGroup.objects.ingested().values_list("name", "schedule")
                changes = plan_schedules(groups=groups, default=default, enabled=enabled)
                for change in changes:
                    if change.kind is not ChangeKind.UNCHANGED:
                        _write(change)
            return changes
        except IntegrityError:
            if attempt == 3:  # Another process has just made the same rows: compare anew.
                raise
    raise AssertionError("the last attempt returns or raises")


def _ingestion(name: str, schedule: str, *, default: str, enabled: bool) -> _Wanted:
    return _Wanted(
        name=f"ingest {name}",
        task=INGEST,
        cron=(schedule or default) if enabled else None,
        kwargs={"group": name},
        description=f"Ingests the feature group {name}.",
    )


def _changes(ingestions: list[_Wanted]) -> Iterable[Change]:
    known = {task.name: task for task in PeriodicTask.objects.select_related("crontab")}
    housekeeping = [
        _Wanted(
            item.name, item.task, item.cron, {}, item.description, EXPIRE_SECONDS if item.cron == MINUTELY else None
        )
        for item in HOUSEKEEPING
    ]
    for wanted in (*ingestions, *housekeeping):
        yield _change(wanted, known.get(wanted.name))
    names = {wanted.name for wanted in ingestions}
    for task in known.values():
        if task.task == INGEST and task.name not in names and _Memory.of(task).declared:
            yield _change(_Wanted(task.name, INGEST, None, json.loads(task.kwargs or "{}"), ""), task)


def _change(wanted: _Wanted, task: PeriodicTask | None) -> Change:
    if wanted.cron is not None:
        parse_cron(wanted.cron)
    if task is None:
        if wanted.cron is None:
            return Change(ChangeKind.UNCHANGED, "schedule", wanted.name, note="ingestion by schedule is off")
        return Change(ChangeKind.ADDED, "schedule", wanted.name, (Detail("cron", None, wanted.cron),), write=wanted)
    memory = _Memory.of(task)
    if wanted.cron is None:
        if memory.paused or not task.enabled:
            return Change(ChangeKind.UNCHANGED, "schedule", wanted.name)
        return Change(ChangeKind.UPDATED, "schedule", wanted.name, (Detail("enabled", "yes", "no"),), write=wanted)
    details = []
    if memory.declared != wanted.cron:
        details.append(Detail("cron", memory.declared or NONE, wanted.cron))
    if memory.paused and not task.enabled:
        details.append(Detail("enabled", "no", "yes"))
    kind = ChangeKind.UPDATED if details else ChangeKind.UNCHANGED
    return Change(kind, "schedule", wanted.name, tuple(details), write=wanted)


def _write(change: Change) -> None:
    wanted = change.write
    assert isinstance(wanted, _Wanted)
    task = PeriodicTask.objects.filter(name=wanted.name).first()
    is_new = task is None
    if task is None:
        task = PeriodicTask(
            name=wanted.name,
            task=wanted.task,
            kwargs=json.dumps(wanted.kwargs),
            description=wanted.description,
            expire_seconds=wanted.expire_seconds,
        )
    before = None if is_new else _shown(task)
    memory = _Memory.of(task)
    if wanted.cron is None:
        task.enabled = False
        memory = replace(memory, paused=True)
    else:
        if memory.declared != wanted.cron:
            task.crontab = _crontab(wanted.cron)
            task.interval = task.solar = task.clocked = None
        if memory.paused:
            task.enabled = True
        memory = _Memory(declared=wanted.cron)
    memory.write(task)
    task.save()
    record(action="create" if is_new else "update", instance=task, before=before, after=_shown(task))


def _crontab(line: str) -> CrontabSchedule:
    fields = asdict(parse_cron(line))
    # Nothing keeps equal rows from being there twice, so the first serves.
    found = CrontabSchedule.objects.filter(**fields, timezone="UTC").order_by("pk").first()
    return found or CrontabSchedule.objects.create(**fields, timezone="UTC")


def _shown(task: PeriodicTask) -> dict[str, object]:
    return {"task": task.task, "schedule": str(task.schedule), "enabled": task.enabled, "kwargs": task.kwargs}

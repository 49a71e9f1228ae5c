"""What home tells of runs, for the page and the API alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q

from catalog.access import Reader
from catalog.models import FeatureGroup
from ingestion.models import IngestionRun, RunKind, RunState

NEWEST, _NEVER = 60, 20


@dataclass(frozen=True)
class RunsOfDay:
    """How many runs were asked for in the last 24 hours, and how many of them failed."""

    runs: int
    failed: int


@dataclass(frozen=True)
class GroupsOfNote:
    """The groups that nothing was ingested of yet, and those that are older than promised (with ``newest_event``)."""

    never_ingested: list[Any]
    stale: list[Any]


def runs_of_day(user: Reader, *, at: datetime) -> RunsOfDay:
    """Of the runs that ``user`` may know of. One query."""
    day = IngestionRun.objects.visible_to(user).filter(created_at__gte=at - timedelta(hours=24))
    counted = day.aggregate(runs=Count("pk"), failed=Count("pk", filter=Q(state=RunState.FAILED)))
    return RunsOfDay(**counted)


def newest_runs(user: Reader) -> list[IngestionRun]:
    """The last runs that ``user`` may know of, newest first. One query."""
    visible = IngestionRun.objects.visible_to(user)
    return list(visible.select_related("group").defer("log", "problems").order_by("-created_at", "-id")[:NEWEST])


def groups_of_note(user: Reader, *, at: datetime) -> GroupsOfNote:
    """The groups that promise freshness and break it, and those never ingested, by name. One query."""
    ingested = IngestionRun.objects.filter(group=OuterRef("pk"), state=RunState.SUCCEEDED, kind=RunKind.INGEST)
    told: Any = (
        FeatureGroup.objects.visible_to(user)
        .ingested()
        .annotate(
            newest_event=Max("features__default_version__latest_profile__newest_event"), was_ingested=Exists(ingested)
        )
    )
    groups = list(told.filter(Q(freshness__isnull=False) | Q(was_ingested=False)).order_by("name"))
    return GroupsOfNote(
        never_ingested=[group for group in groups if not group.was_ingested][:_NEVER],
        stale=[
            group
            for group in groups
            if group.freshness and group.newest_event and at - group.newest_event > group.freshness
        ],
    )

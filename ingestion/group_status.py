"""How each group stands: its features, its rows, its freshness and its last ingestion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from catalog.models import Feature, FeatureGroup, FeatureVersion, Status
from ingestion.models import IngestionRun, RunKind, RunState
from serving.models import MaterializedTable


@dataclass(frozen=True)
class RunStatus:
    """The last ingestion of a group; ``at`` is when it ended, or was asked for while it has not."""

    id: str
    state: str
    at: datetime
    rows_appended: int
    error: str


@dataclass(frozen=True)
class GroupStatus:
    """One group. ``freshness`` is its promise, ``age`` how old its newest event is; None where there is none."""

    name: str
    entity: str
    status: str
    features: int
    without_values: int
    rows_online: int
    rows_history: int
    bytes_history: int
    table_version: int | None
    newest_event: datetime | None
    age: timedelta | None
    freshness: timedelta | None
    last_run: RunStatus | None

    @property
    def is_late(self) -> bool:
        """Whether it breaks its promise of freshness."""
        return self.freshness is not None and self.age is not None and self.age > self.freshness


def group_statuses(*, at: datetime) -> tuple[GroupStatus, ...]:
    """Every group that is not archived, by name."""
    groups = list(FeatureGroup.objects.ingested().select_related("entity", "materialized"))
    features: dict[int, int] = dict(
        Feature.objects.exclude(status=Status.ARCHIVED).values_list("group").annotate(count=Count("pk"))
    )
    without: dict[int, int] = dict(
        FeatureVersion.objects.ingested()
        .exclude(source_problem="")
        .values_list("feature__group")
        .annotate(count=Count("feature", distinct=True))
    )
    runs = _last_runs()
    return tuple(_group_status(group, features, without, runs.get(group.pk), at) for group in groups)


def _group_status(
    group: FeatureGroup, features: dict[int, int], without: dict[int, int], run: IngestionRun | None, at: datetime
) -> GroupStatus:
    table: MaterializedTable | None = getattr(group, "materialized", None)
    newest = None if table is None else table.newest_event
    return GroupStatus(
        name=group.name,
        entity=group.entity.name,
        status=group.status,
        features=features.get(group.pk, 0),
        without_values=without.get(group.pk, 0),
        rows_online=0 if table is None else table.online_rows,
        rows_history=0 if table is None else table.history_rows,
        bytes_history=0 if table is None else table.history_bytes,
        table_version=None if table is None else table.table_version,
        newest_event=newest,
        age=None if newest is None else at - newest,
        freshness=group.freshness,
        last_run=None if run is None else _run_status(run),
    )


def _last_runs() -> dict[int, IngestionRun]:
    """The newest ingestion of each group that was not cancelled."""
    runs = IngestionRun.objects.filter(kind=RunKind.INGEST).exclude(state=RunState.CANCELLED)
    newest: dict[int, datetime] = dict(runs.order_by().values_list("group").annotate(newest=Max("created_at")))
    found: dict[int, IngestionRun] = {}
    for run in runs.filter(created_at__in=set(newest.values())).defer("log", "problems"):
        if run.created_at == newest[run.group_id]:
            found.setdefault(run.group_id, run)
    return found


def _run_status(run: IngestionRun) -> RunStatus:
    return RunStatus(
        id=str(run.pk),
        state=run.state,
        at=run.finished_at or run.created_at,
        rows_appended=run.rows_appended,
        error=run.error,
    )

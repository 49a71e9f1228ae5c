"""How the store stands: what it holds, how fresh it is, how its last runs went, and what is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Sum

from catalog.clock import now
from catalog.models import Feature, FeatureService, FeatureVersion, Status
from ingestion.group_status import GroupStatus, group_statuses
from ingestion.migration_state import unapplied_migrations
from ingestion.problems import Problem, ProblemLevel, find_problems
from serving.models import MaterializedTable


@dataclass(frozen=True)
class StoreTotals:
    """Counts without what is archived; sizes in bytes, None where the database does not tell."""

    database: str
    database_bytes: int | None
    offline_path: str
    offline_bytes: int
    rows_online: int
    rows_history: int
    groups: int
    features: int
    versions: int
    services: int


@dataclass(frozen=True)
class StoreStatus:
    at: datetime
    totals: StoreTotals | None
    """None when the database cannot be read; the problems say why."""
    groups: tuple[GroupStatus, ...]
    problems: tuple[Problem, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong but what a warning tells."""
        return all(problem.level is not ProblemLevel.ERROR for problem in self.problems)


def store_status() -> StoreStatus:
    """The state of the whole store now; the number of queries does not grow with it. Nothing raises but a fault in
    the program: what cannot be read is a problem of the answer.
    """
    at = now()
    try:
        missing = unapplied_migrations()
    except DatabaseError as error:
        return _unreadable(at, Problem(ProblemLevel.ERROR, "database", f"the database does not answer: {error}"))
    if missing:
        told = ", ".join(missing[:3]) + (" …" if missing[3:] else "")
        message = f"migrations not applied: {len(missing)} ({told}); run manage.py migrate"
        return _unreadable(at, Problem(ProblemLevel.ERROR, "migrations", message))
    groups = group_statuses(at=at)
    return StoreStatus(at=at, totals=_totals(groups), groups=groups, problems=tuple(find_problems(groups, at=at)))


def _unreadable(at: datetime, problem: Problem) -> StoreStatus:
    return StoreStatus(at=at, totals=None, groups=(), problems=(problem,))


def _totals(groups: tuple[GroupStatus, ...]) -> StoreTotals:
    sums = MaterializedTable.objects.aggregate(
        bytes=Sum("history_bytes"), online=Sum("online_rows"), history=Sum("history_rows")
    )
    return StoreTotals(
        database=connection.vendor,
        database_bytes=database_bytes(),
        offline_path=str(settings.FEATURESTORE.offline_path),
        offline_bytes=sums["bytes"] or 0,
        rows_online=sums["online"] or 0,
        rows_history=sums["history"] or 0,
        groups=len(groups),
        features=Feature.objects.exclude(status=Status.ARCHIVED).count(),
        versions=FeatureVersion.objects.exclude(status=Status.ARCHIVED).count(),
        services=FeatureService.objects.exclude(status=Status.ARCHIVED).count(),
    )


_SIZE_QUERIES = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT sum(data_length + index_length) FROM information_schema.tables WHERE table_schema = database()",
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
}


def database_bytes() -> int | None:
    """What the database takes on its disk; None where it does not tell."""
    query = _SIZE_QUERIES.get(connection.vendor)
    if query is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return None if row is None or row[0] is None else int(row[0])


def as_json(status: StoreStatus) -> dict[str, Any]:
    """``status`` as plain JSON values: instants as ISO text, spans in seconds."""
    told = {"at": status.at, "healthy": status.healthy, "store": status.totals and asdict(status.totals)}
    groups = [{**asdict(group), "is_late": group.is_late} for group in status.groups]
    plain: dict[str, Any] = _plain({**told, "groups": groups, "problems": [asdict(item) for item in status.problems]})
    return plain


def _plain(value: object) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value

"""A small source of accounts that tests change, its feature group, and what both stores hold of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.actor import acting
from catalog.models import Entity, FeatureGroup, FeatureProfile, FeatureVersion
from ingestion.models import IngestionRun, QuarantinedRow, RunKind, Source, ValidationReport
from ingestion.runs import execute_now, request_run
from serving.models import FeatureValue, MaterializedTable
from serving.stores.offline import open_history
from tests.stocked_store import make_feature, make_group

MONDAY = "2025-03-03 10:00:00"
TUESDAY = "2025-03-04 10:00:00"
WEDNESDAY = "2025-03-05 10:00:00"
RULE = {"min_value": 0, "severity": "reject"}
_WRITTEN_BY_RUN = ("created_timestamp", "run_id", "arrival")


@dataclass(frozen=True)
class Warehouse:
    """A SQLite file with the table ``accounts``: account, amount, town, last_updated."""

    file: Path

    def execute(self, statement: str, *parameters: Any) -> None:
        with closing(sqlite3.connect(self.file)) as database, database:
            database.execute(statement, parameters)

    def put(self, *rows: tuple[Any, ...]) -> None:
        """Add rows of (account, amount, town, last_updated)."""
        with closing(sqlite3.connect(self.file)) as database, database:
            database.executemany("INSERT INTO accounts (account, amount, town, last_updated) VALUES (?, ?, ?, ?)", rows)

    def set_amounts(self, accounts: Iterable[str], amount: float, *, at: str | None = None) -> None:
        """Give the accounts another amount, with ``at`` as another time or in place."""
        with closing(sqlite3.connect(self.file)) as database, database:
            database.executemany(
                "UPDATE accounts SET amount = ?, last_updated = coalesce(?, last_updated) WHERE account = ?",
                [(amount, at, account) for account in accounts],
            )


def make_warehouse(folder: Path, *, name: str = "warehouse") -> Warehouse:
    """An empty table, declared as the source ``name``."""
    warehouse = Warehouse(folder / f"{name}.db")
    warehouse.execute("CREATE TABLE accounts (account, amount, town TEXT, last_updated TEXT)")
    Source.objects.create(name=name, kind="sqlite", location=str(warehouse.file))
    return warehouse


def make_accounts(name: str = "accounts", *, entity: Entity | None = None, **fields: Any) -> FeatureGroup:
    """The group of ``amount`` (negative ones are rejected) and ``town``."""
    declared = {"timestamp_column": "last_updated", "key_map": {"customer_id": "account"}} | fields
    group = make_group(name, entity=entity, **declared)
    FeatureGroup.objects.filter(pk=group.pk).update(source_table="accounts")
    group.source_table = "accounts"
    make_feature(group, "amount", validation=RULE)
    make_feature(group, "town", "string")
    return group


def ingest(group: FeatureGroup, kind: RunKind = RunKind.INGEST) -> IngestionRun:
    """A new run, executed here."""
    with acting(None, "test"):
        return execute_now(request_run(group=group, kind=kind), timeout=10)


def online(group: FeatureGroup) -> dict[str, dict[str, Any]]:
    """The values of every online row, by entity key."""
    return {row.entity_key: row.values for row in FeatureValue.objects.filter(group=group)}


def amounts(group: FeatureGroup) -> dict[str, Any]:
    """The online amounts, by entity key."""
    return {key: values["amount_v1"] for key, values in online(group).items()}


def history(group: FeatureGroup) -> list[dict[str, Any]]:
    """All rows of history in the order of their arrival."""
    found = open_history(group)
    rows: list[dict[str, Any]] = [] if found is None else found.dataset.to_table().to_pylist()
    return sorted(rows, key=lambda row: row["arrival"] if row["arrival"] is not None else -1)


def history_amounts(group: FeatureGroup) -> list[tuple[str, str, Any]]:
    """(entity key, day of the event, amount) of every row of history, sorted."""
    return sorted(
        ((row["entity_key"], f"{row['event_timestamp']:%Y-%m-%d}", row["amount_v1"]) for row in history(group)),
        key=repr,
    )


def counts(run: IngestionRun) -> dict[str, int]:
    """The counts of the run that are not zero."""
    names = ("read", "unchanged", "superseded", "flagged", "rejected", "appended", "online")
    found = {name: getattr(run, f"rows_{name}") for name in names}
    return {name: count for name, count in found.items() if count}


def state_of(group: FeatureGroup, run: IngestionRun) -> dict[str, Any]:
    """All that ``run`` left behind, but for instants and identities, which no two runs share."""
    run.refresh_from_db()
    report = ValidationReport.objects.filter(run=run).first()
    versions = FeatureVersion.objects.filter(feature__group=group).order_by("feature__name")
    return {
        "run": (run.state, run.step, run.progress, run.error, run.problems, counts(run)),
        "online": online(group),
        "events": dict(FeatureValue.objects.filter(group=group).values_list("entity_key", "event_timestamp")),
        "materialized": list(
            MaterializedTable.objects.filter(group=group).values_list(
                "online_rows", "history_rows", "newest_event", "next_event"
            )
        ),
        "history": sorted(
            ({name: value for name, value in row.items() if name not in _WRITTEN_BY_RUN} for row in history(group)),
            key=repr,
        ),
        "appended by the run": sum(row["run_id"] == str(run.pk) for row in history(group)),
        "report": report
        and (
            report.passed,
            report.row_count,
            report.completeness,
            report.validity,
            report.consistency,
            report.shortfalls,
            list(report.results.order_by("rule", "id").values_list("rule", "passed", "checked", "failed", "sample")),
        ),
        "profiles": list(
            FeatureProfile.objects.filter(version__in=versions, run_id=str(run.pk))
            .order_by("version__feature__name")
            .values_list("version__feature__name", "row_count", "null_count", "min_value", "max_value", "mean_value")
        ),
        "latest profiles": [
            version.latest_profile and version.latest_profile.run_id == str(run.pk) for version in versions
        ],
        "source problems": [version.source_problem for version in versions],
        "quarantine": sorted(
            QuarantinedRow.objects.filter(group=group).values_list("entity_key", "row__amount"), key=repr
        ),
    }

"""Making a whole demo warehouse on disk, all of it or nothing."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from catalog.errors import InvalidInput
from ingestion.demo_warehouse.customers import draw_customer_ids, draw_customers
from ingestion.demo_warehouse.history import write_history
from ingestion.demo_warehouse.quality import describe_warehouse
from ingestion.demo_warehouse.runs import Run, write_report
from ingestion.demo_warehouse.step6_config import DATABASE_NAME
from ingestion.demo_warehouse.tables import SCHEMA, timestamp_text

SIDE_FILES: Final = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class DemoWarehouse:
    """A demo warehouse: its SQLite file, its folder of reports, rows per table, and if this call made it."""

    database: Path
    reports: Path
    rows: dict[str, int]
    created: bool


def make_demo_warehouse(
    *,
    out: Path,
    end: datetime,
    customers: int = 2000,
    days: int = 30,
    seed: int = 7,
    force: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> DemoWarehouse:
    """Make ``out/datawarehouse/customer_data_warehouse.db`` and a report under ``out/reports``.

    ``days`` daily step-6 runs, the last at ``end`` (aware; cut to whole seconds). The same arguments give
    the same rows. An existing warehouse is left as it is and described, unless ``force`` replaces it.
    ``progress`` is told (days done, days). Raises InvalidInput for counts below 1, a negative seed, or an
    ``end`` without a time zone.
    """
    if customers < 1 or days < 1 or seed < 0:
        raise InvalidInput("A demo warehouse needs at least 1 customer and 1 day, and a seed of 0 or more.")
    timestamp_text(moment=end)
    end = end.astimezone(UTC).replace(microsecond=0)
    database, reports = out / "datawarehouse" / DATABASE_NAME, out / "reports"
    if database.exists() and not force:
        return DemoWarehouse(database=database, reports=reports, rows=_row_counts(database), created=False)

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        built = Path(folder) / DATABASE_NAME
        run = _build(database=built, end=end, customers=customers, days=days, seed=seed, progress=progress)
        report = write_report(folder=Path(folder), run=run)
        rows = _row_counts(built)
        _put_in_place(built=built, report=report, database=database, reports=reports)
    return DemoWarehouse(database=database, reports=reports, rows=rows, created=True)


def _build(
    *,
    database: Path,
    end: datetime,
    customers: int,
    days: int,
    seed: int,
    progress: Callable[[int, int], object] | None,
) -> Run:
    rng = np.random.default_rng(seed)
    customer_id = draw_customer_ids(rng=rng, size=customers)
    drawn = draw_customers(rng=rng, customer_id=customer_id, days=days)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(SCHEMA)
        with connection:
            run = write_history(
                connection,
                rng=rng,
                customers=drawn,
                days=days,
                end=end,
                day_done=None if progress is None else lambda day, _run: progress(day + 1, days),
            )
            describe_warehouse(connection, measured=timestamp_text(moment=end))
    return run


def _put_in_place(*, built: Path, report: Path, database: Path, reports: Path) -> None:
    """Move the files in; whenever this is cut short, there is a whole database, the old or the new one."""
    database.parent.mkdir(parents=True, exist_ok=True)
    reports.mkdir(parents=True, exist_ok=True)
    replaced = set(reports.glob("feature_engineering_summary_*.json")) if database.exists() else set()
    report.replace(reports / report.name)
    # Leftovers of the replaced database would be applied to the new one.
    for suffix in SIDE_FILES:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    built.replace(database)
    for stale in replaced - {reports / report.name}:
        stale.unlink(missing_ok=True)


def _row_counts(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in names.fetchall()
        }

"""A demo warehouse that comes to be day by day, as that of a pipeline does whose step 6 runs every night."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from ingestion.demo_warehouse.customers import Ints, draw_customer_ids, draw_customers
from ingestion.demo_warehouse.history import write_history
from ingestion.demo_warehouse.quality import describe_warehouse
from ingestion.demo_warehouse.runs import Run, write_report
from ingestion.demo_warehouse.step6_config import DATABASE_NAME
from ingestion.demo_warehouse.tables import SCHEMA, timestamp_text

MEASURED_EVERY: Final = 7


@dataclass(frozen=True)
class WarehouseDay:
    """One night's step-6 run: ``number`` from 0, ``at`` its aware UTC time, and the customers there were."""

    number: int
    at: datetime
    database: Path
    reports: Path
    customer_id: Ints


def grow_demo_warehouse(
    *, out: Path, end: datetime, customers: int, days: int, seed: int, day_done: Callable[[WarehouseDay], object]
) -> None:
    """Make the warehouse of :func:`make_demo_warehouse` in steps, one for each of its ``days``.

    After each night the database under ``out`` holds all rows up to it, a report lies beside it, and ``day_done``
    is called. The same arguments give the same nights, so one that was cut short may be done anew.
    """
    database, reports = out / "datawarehouse" / DATABASE_NAME, out / "reports"
    database.parent.mkdir(parents=True, exist_ok=True)
    reports.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    drawn = draw_customers(rng=rng, customer_id=draw_customer_ids(rng=rng, size=customers), days=days)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        built = Path(folder) / DATABASE_NAME
        with closing(sqlite3.connect(built)) as connection:
            connection.executescript(SCHEMA)

            def hand_over(day: int, run: Run) -> None:
                # Measuring reads the whole warehouse, so step 6 does it once a week, and at last.
                if (days - 1 - day) % MEASURED_EVERY == 0:
                    describe_warehouse(connection, measured=timestamp_text(moment=run.at))
                connection.commit()
                copy = built.with_suffix(".copy")
                shutil.copyfile(built, copy)
                copy.replace(database)
                write_report(folder=reports, run=run)
                known = drawn.customer_id[drawn.first_day <= day]
                day_done(WarehouseDay(day, run.at, database, reports, known))

            write_history(connection, rng=rng, customers=drawn, days=days, end=end, day_done=hand_over)

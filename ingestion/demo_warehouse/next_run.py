"""One more step-6 run into a warehouse that exists, to see incremental ingestion at work."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from catalog.errors import Conflict, InvalidInput, NotFound
from ingestion.demo_warehouse.activity import day_activity
from ingestion.demo_warehouse.branches import branch_features, branch_of
from ingestion.demo_warehouse.customers import Customers, Floats, Texts, age_group, draw_customers
from ingestion.demo_warehouse.features import Records, compute_features, high_value_threshold
from ingestion.demo_warehouse.movements import Day, State, next_day
from ingestion.demo_warehouse.quality import describe_warehouse
from ingestion.demo_warehouse.runs import Run, append_run, write_report
from ingestion.demo_warehouse.step6_config import transformation_config
from ingestion.demo_warehouse.tables import append, column_names, timestamp_text

NEWCOMER_SHARE: Final = 0.02
NEEDED: Final = frozenset(
    {
        "customer_id",
        "balance_mean",
        "balance_std",
        "credit_score_mean",
        "estimated_salary_mean",
        "last_updated",
    }
)

_LATEST: Final = """
SELECT d.customer_id, d.geography, d.gender, d.age, f.balance_mean, f.balance_std,
       f.credit_score_mean, f.estimated_salary_mean, max(f.feature_id)
FROM fact_customer_features AS f JOIN dim_customers AS d USING (customer_id)
WHERE f.balance_mean IS NOT NULL AND f.balance_std IS NOT NULL
  AND f.credit_score_mean IS NOT NULL AND f.estimated_salary_mean > 0
GROUP BY d.customer_id ORDER BY d.customer_id
"""


@dataclass(frozen=True)
class _Known:
    """The customers of the warehouse with their latest complete features, one entry per customer."""

    customers: Customers
    balances: Floats


def add_day(*, database: Path, at: datetime, seed: int, share: float = 0.25) -> int:
    """Append one run at ``at`` for a share (0 to 1) of the customers; returns the rows it appended.

    One row in fifty is a customer never seen before. Works on every step-6 warehouse: tables and columns
    it lacks are left out, and a report is written when the warehouse has its folder of reports. Raises
    NotFound without such a file, InvalidInput for one of another shape or a bad argument, Conflict when
    ``at`` is not after the last run.
    """
    if not 0 < share <= 1 or seed < 0:
        raise InvalidInput("A day needs a share above 0 and at most 1, and a seed of 0 or more.")
    updated = timestamp_text(moment=at)
    at = at.astimezone(UTC).replace(microsecond=0)
    if not database.is_file():
        raise NotFound(f"There is no warehouse at {database}.")
    rng = np.random.default_rng([seed, int(at.timestamp())])
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        present = set(column_names(connection, table="fact_customer_features"))
        if not present.issuperset(NEEDED):
            raise InvalidInput(f"{database} has no fact_customer_features table of step 6.")
        connection.execute("BEGIN IMMEDIATE")
        try:
            run = _append(connection, rng=rng, at=at, updated=updated, share=share)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    reports = database.parent.parent / "reports"
    if reports.is_dir():
        write_report(folder=reports, run=run)
    return len(run.customer_id)


def _append(
    connection: sqlite3.Connection, *, rng: np.random.Generator, at: datetime, updated: str, share: float
) -> Run:
    last = connection.execute("SELECT max(last_updated) FROM fact_customer_features").fetchone()[0]
    if last is not None and updated <= last:
        raise Conflict(f"The last run of this warehouse is of {last}; the next must be later than {updated}.")
    known = _read(connection)
    everyone = connection.execute("SELECT count(*) FROM dim_customers").fetchone()[0]
    size = max(1, round(share * everyone))
    newcomers = _join(connection, rng=rng, size=int(NEWCOMER_SHARE * size), updated=updated)
    returning = min(size - len(newcomers), len(known.customers))
    chosen = rng.choice(len(known.customers), size=returning, replace=False)
    picked = np.zeros(len(known.customers), dtype=np.bool_)
    picked[chosen] = True

    day = _move(rng=rng, known=known, picked=picked)
    balances = np.column_stack([known.balances[:, 1:], day.state.balance])
    threshold = high_value_threshold(balances=balances)
    rows = np.flatnonzero(picked)
    fresh = np.column_stack([np.full((len(newcomers), 2), np.nan), newcomers.balance])
    both = [_rows(known.customers, picked), newcomers]
    records = Records(
        balances=np.vstack([balances[rows], fresh]),
        credit_score=np.concatenate([day.state.credit_score[rows], newcomers.credit_score]),
        salary=np.concatenate([day.state.salary[rows], newcomers.salary]),
        geography=np.concatenate([part.geography for part in both]),
    )
    run = Run(
        at=at,
        customer_id=np.concatenate([part.customer_id for part in both]),
        geography=records.geography,
        gender=np.concatenate([part.gender for part in both]),
        age=np.concatenate([part.age for part in both]),
        features=compute_features(records=records, high_value_above=threshold),
    )
    append_run(connection, run=run, config=_config(connection))
    _append_extras(connection, rng=rng, known=known, day=day, updated=updated)
    describe_warehouse(connection, measured=updated)
    return run


def _read(connection: sqlite3.Connection) -> _Known:
    latest = connection.execute(_LATEST).fetchall()
    if not latest:
        raise InvalidInput("The warehouse has no customer with complete features to go on from.")
    columns = list(zip(*latest, strict=True))
    mean, std = np.array(columns[4], dtype=np.float64), np.array(columns[5], dtype=np.float64)
    # Two records with the stored mean and deviation stand for those that step 6 aggregated.
    spread = std / np.sqrt(2)
    records = np.round(np.column_stack([mean, np.maximum(mean - spread, 0.0), mean + spread]), 2)
    size = len(latest)
    customers = Customers(
        customer_id=np.array(columns[0], dtype=np.int64),
        geography=_texts(columns[1]),
        gender=_texts(columns[2]),
        age=np.array(columns[3], dtype=np.float64),
        tenure_days=np.zeros(size),
        first_day=np.zeros(size, dtype=np.int64),
        activity_rate=np.ones(size),
        balance=records[:, -1],
        credit_score=np.array(columns[6], dtype=np.float64),
        salary=np.array(columns[7], dtype=np.float64),
    )
    return _Known(customers=customers, balances=records)


def _move(*, rng: np.random.Generator, known: _Known, picked: Any) -> Day:
    customers = known.customers
    state = State(balance=customers.balance, credit_score=customers.credit_score, salary=customers.salary)
    day = next_day(rng=rng, state=state, transacting=picked)
    # A row is only written for a change, so where the day brought none the score moves by a point.
    same = (
        (day.state.balance == state.balance)
        & (day.state.credit_score == state.credit_score)
        & (day.state.salary == state.salary)
    )
    point = np.where(state.credit_score >= 600, -1.0, 1.0)
    return replace(
        day,
        state=replace(day.state, credit_score=np.where(same, state.credit_score + point, day.state.credit_score)),
    )


def _join(connection: sqlite3.Connection, *, rng: np.random.Generator, size: int, updated: str) -> Customers:
    highest = connection.execute("SELECT max(customer_id) FROM dim_customers").fetchone()[0]
    number = connection.execute("SELECT coalesce(max(customer_num), 0) FROM dim_customers").fetchone()[0]
    ids = highest + np.cumsum(rng.integers(1, 60, size=size)).astype(np.int64)
    joined = draw_customers(rng=rng, customer_id=ids, days=1)
    append(
        connection,
        table="dim_customers",
        columns={
            "customer_id": joined.customer_id,
            # A warehouse that numbers no customers goes on without numbers.
            "customer_num": number + 1 + np.arange(size) if number else [None] * size,
            "geography": joined.geography,
            "gender": joined.gender,
            "age": joined.age,
            "age_group": age_group(age=joined.age),
            "tenure_days": np.zeros(size) if number else [None] * size,
            "created_date": [updated] * size,
        },
    )
    return joined


def _append_extras(
    connection: sqlite3.Connection, *, rng: np.random.Generator, known: _Known, day: Day, updated: str
) -> None:
    customers = known.customers
    activity = day_activity(rng=rng, customer_id=customers.customer_id, day=day, date=updated[:10])
    every = np.ones(len(activity.columns["customer_id"]), dtype=np.bool_)
    append(connection, table="fact_customer_activity", columns=activity.part(rows=every, created=updated))
    append(
        connection,
        table="fact_branch_features",
        columns=branch_features(
            branch=branch_of(customer_id=customers.customer_id, geography=customers.geography),
            balance=day.state.balance,
            transaction_count=day.transaction_count,
            transaction_amount=day.transaction_amount,
            updated=updated,
        ),
    )


def _config(connection: sqlite3.Connection) -> str:
    """The configuration of the run before, or the demo's own when there is none."""
    if not column_names(connection, table="transformation_metadata"):
        return transformation_config()
    row = connection.execute(
        "SELECT transformation_config FROM transformation_metadata ORDER BY transformation_id DESC LIMIT 1"
    ).fetchone()
    return row[0] if row and row[0] else transformation_config()


def _rows(customers: Customers, picked: Any) -> Customers:
    return Customers(**{name: values[picked] for name, values in vars(customers).items()})


def _texts(values: tuple[Any, ...]) -> Texts:
    texts: Texts = np.array(values, dtype=object)
    return texts

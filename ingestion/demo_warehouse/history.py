"""The daily step-6 runs of the demo bank, day by day, into an empty warehouse."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from ingestion.demo_warehouse.activity import day_activity, draw_late
from ingestion.demo_warehouse.branches import branch_dimension, branch_features, branch_of
from ingestion.demo_warehouse.customers import FEATURED_CUSTOMER, Bools, Customers, Floats, Ints, age_group
from ingestion.demo_warehouse.features import (
    WINDOW,
    Features,
    Records,
    compute_features,
    high_value_threshold,
    lose_some,
)
from ingestion.demo_warehouse.movements import Day, State, draw_transacting, in_season, next_day
from ingestion.demo_warehouse.runs import Run, append_run
from ingestion.demo_warehouse.step6_config import transformation_config
from ingestion.demo_warehouse.tables import append, timestamp_text


@dataclass
class _Bank:
    """Where the simulation stands; ``balances`` holds the last ``WINDOW`` days, ``nan`` before joining."""

    customers: Customers
    state: State
    balances: Floats
    before: Features | None = None
    late: Any = None


def write_history(
    connection: sqlite3.Connection,
    *,
    rng: np.random.Generator,
    customers: Customers,
    days: int,
    end: datetime,
    day_done: Callable[[int, Run], object] | None = None,
) -> Run:
    """Write ``days`` runs a day apart, the last at ``end``; returns the last one.

    A run writes the customers who used their account or whose features are other than the day before.
    Some activity becomes known one run late. ``day_done`` is called with each day, from 0, and its run.
    """
    bank = _opening(rng=rng, customers=customers)
    append(connection, table="dim_branches", columns=branch_dimension(created=_text(end, days - 1)))
    config = transformation_config()
    for day in range(days):
        at = end - timedelta(days=days - 1 - day)
        run = _write_day(connection, rng=rng, bank=bank, day=day, days=days, at=at)
        append_run(connection, run=run, config=config)
        if day_done is not None:
            day_done(day, run)
    return run


def _text(end: datetime, days_before: int) -> str:
    return timestamp_text(moment=end - timedelta(days=days_before))


def _opening(*, rng: np.random.Generator, customers: Customers) -> _Bank:
    """The days before the first run, so that first customers come with a full window of records."""
    state = State(balance=customers.balance, credit_score=customers.credit_score, salary=customers.salary)
    balances = np.full((len(customers), WINDOW), np.nan)
    known = customers.first_day == 0
    for column in range(1, WINDOW):
        balances[known, column] = state.balance[known]
        transacting = known & draw_transacting(rng=rng, activity_rate=customers.activity_rate, weekday=0)
        moved = next_day(rng=rng, state=state, transacting=transacting).state
        state = replace(state, balance=moved.balance)
    return _Bank(customers=customers, state=state, balances=balances)


def _write_day(
    connection: sqlite3.Connection,
    *,
    rng: np.random.Generator,
    bank: _Bank,
    day: int,
    days: int,
    at: datetime,
) -> Run:
    customers, updated = bank.customers, timestamp_text(moment=at)
    present = customers.first_day <= day
    newcomers = np.flatnonzero(customers.first_day == day)
    transacting = present & draw_transacting(rng=rng, activity_rate=customers.activity_rate, weekday=at.weekday())
    moved = in_season(day=next_day(rng=rng, state=bank.state, transacting=transacting), days_left=days - 1 - day)
    # Whoever has not joined yet keeps the opening values until the first day.
    bank.state = State(
        balance=moved.state.balance,
        credit_score=np.where(present, moved.state.credit_score, bank.state.credit_score),
        salary=np.where(present, moved.state.salary, bank.state.salary),
    )
    bank.balances = np.column_stack([bank.balances[:, 1:], np.where(present, bank.state.balance, np.nan)])

    _write_newcomers(connection, customers=customers, rows=newcomers, created=updated)
    last = day == days - 1
    _write_activity(connection, rng=rng, bank=bank, moved=moved, last=last, date=updated[:10], created=updated)
    append(
        connection,
        table="fact_branch_features",
        columns=branch_features(
            branch=branch_of(customer_id=customers.customer_id, geography=customers.geography)[present],
            balance=bank.state.balance[present],
            transaction_count=moved.transaction_count[present],
            transaction_amount=moved.transaction_amount[present],
            updated=updated,
        ),
    )
    return _run(rng=rng, bank=bank, touched=transacting | (customers.first_day == day), at=at)


def _run(*, rng: np.random.Generator, bank: _Bank, touched: Bools, at: datetime) -> Run:
    customers = bank.customers
    records = Records(
        balances=bank.balances,
        credit_score=bank.state.credit_score,
        salary=bank.state.salary,
        geography=customers.geography,
    )
    threshold = high_value_threshold(balances=records.balances)
    now = compute_features(records=records, high_value_above=threshold)
    changed = np.zeros(len(customers), dtype=np.bool_) if bank.before is None else now.differ_from(other=bank.before)
    bank.before = now
    rows = np.flatnonzero(changed | touched)
    kept = lose_some(
        rng=rng, records=records.take(rows=rows), protected=customers.customer_id[rows] == FEATURED_CUSTOMER
    )
    return Run(
        at=at,
        customer_id=customers.customer_id[rows],
        geography=customers.geography[rows],
        gender=customers.gender[rows],
        age=customers.age[rows],
        features=compute_features(records=kept, high_value_above=threshold),
    )


def _write_newcomers(connection: sqlite3.Connection, *, customers: Customers, rows: Ints, created: str) -> None:
    append(
        connection,
        table="dim_customers",
        columns={
            "customer_id": customers.customer_id[rows],
            "customer_num": rows + 1,
            "geography": customers.geography[rows],
            "gender": customers.gender[rows],
            "age": customers.age[rows],
            "age_group": age_group(age=customers.age[rows]),
            "tenure_days": customers.tenure_days[rows],
            "created_date": [created] * len(rows),
        },
    )


def _write_activity(
    connection: sqlite3.Connection,
    *,
    rng: np.random.Generator,
    bank: _Bank,
    moved: Day,
    last: bool,
    date: str,
    created: str,
) -> None:
    if bank.late is not None:
        append(
            connection,
            table="fact_customer_activity",
            columns={**bank.late, "created_date": [created] * len(bank.late["customer_id"])},
        )
    activity = day_activity(rng=rng, customer_id=bank.customers.customer_id, day=moved, date=date)
    late = draw_late(rng=rng, activity=activity)
    # The last run has no later one to bring what it misses, so it misses nothing.
    late &= not last
    append(connection, table="fact_customer_activity", columns=activity.part(rows=~late, created=created))
    bank.late = {name: values[late] for name, values in activity.columns.items()}

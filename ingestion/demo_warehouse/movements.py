"""How balances, scores and salaries move from one day to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ingestion.demo_warehouse.customers import PERFECT_SCORE, Bools, Floats, Ints

ORDINARY_BALANCE_LIMIT: Final = 320_000.0
WEEKEND_FACTOR: Final = 0.6
OPENING_CHANCE: Final = 0.004
CLOSING_CHANCE: Final = 0.0015
SCORE_CHANGE_CHANCE: Final = 0.08
RAISE_CHANCE: Final = 1 / 150
SALE_DAYS: Final = 8
SALE_FACTOR: Final = 1.7


@dataclass(frozen=True)
class State:
    """What is true of each customer at the end of a day; euro and points."""

    balance: Floats
    credit_score: Floats
    salary: Floats


@dataclass(frozen=True)
class Day:
    """One day: the state at its end and the transactions (euro, both directions summed) that led to it."""

    state: State
    transaction_count: Ints
    transaction_amount: Floats
    balance_change: Floats


def draw_transacting(*, rng: np.random.Generator, activity_rate: Floats, weekday: int) -> Bools:
    """Which customers use their account on a day; ``weekday`` 0 is Monday, at weekends fewer do."""
    factor = WEEKEND_FACTOR if weekday >= 5 else 1.0
    return rng.random(len(activity_rate)) < activity_rate * factor


def next_day(*, rng: np.random.Generator, state: State, transacting: Bools) -> Day:
    """The day after ``state``: only transacting customers' balances move; scores and salaries may step."""
    size = len(transacting)
    balance = _next_balance(rng=rng, balance=state.balance, transacting=transacting)
    balance_change = np.round(balance - state.balance, 2)

    steps = rng.integers(-8, 9, size=size)
    rescored = (rng.random(size) < SCORE_CHANGE_CHANCE) & (state.credit_score < PERFECT_SCORE)
    credit_score = np.where(rescored, np.clip(state.credit_score + steps, 350, PERFECT_SCORE - 1), state.credit_score)
    raised = rng.random(size) < RAISE_CHANCE
    salary = np.where(raised, np.round(state.salary * rng.uniform(1.02, 1.10, size=size), 2), state.salary)

    count = np.where(transacting, 1 + rng.poisson(1.5, size=size), 0)
    turnover = rng.lognormal(mean=4.2, sigma=0.8, size=size) * count
    return Day(
        state=State(balance=balance, credit_score=credit_score, salary=salary),
        transaction_count=count,
        transaction_amount=np.where(transacting, np.round(np.abs(balance_change) + turnover, 2), 0.0),
        balance_change=balance_change,
    )


def in_season(*, day: Day, days_left: int) -> Day:
    """The day as it is ``days_left`` before the last: in the sale at the end, customers spend more."""
    if days_left >= SALE_DAYS:
        return day
    return replace(day, transaction_amount=np.round(day.transaction_amount * SALE_FACTOR, 2))


def _next_balance(*, rng: np.random.Generator, balance: Floats, transacting: Bools) -> Floats:
    size = len(balance)
    drifted = balance * (1.0 + np.clip(rng.normal(0.0008, 0.03, size=size), -0.25, 0.25))
    # Very large balances stay large; the ceiling keeps drift from making more of them.
    drifted = np.where(balance > ORDINARY_BALANCE_LIMIT, drifted, np.minimum(drifted, ORDINARY_BALANCE_LIMIT))
    drifted = np.where(rng.random(size) < CLOSING_CHANCE, 0.0, drifted)
    opened = np.where(rng.random(size) < OPENING_CHANCE, rng.uniform(20_000, 140_000, size=size), 0.0)
    moved = np.where(balance == 0.0, opened, drifted)
    return np.where(transacting, np.round(moved, 2), balance)

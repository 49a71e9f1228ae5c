"""Who the customers of the demo bank are, and with what they start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

FEATURED_CUSTOMER: Final = 15634602
"""A customer every demo warehouse has, from the first run and never with a missing value."""

LOWEST_CUSTOMER_ID: Final = 15565701
CUSTOMER_ID_SPAN: Final = 250_000
GEOGRAPHIES: Final = ("France", "Germany", "Spain")
GEOGRAPHY_SHARES: Final = (0.50, 0.25, 0.25)
ZERO_BALANCE_SHARES: Final = {"France": 0.45, "Germany": 0.0, "Spain": 0.45}
AGE_BINS: Final = (0, 30, 45, 60, 100)
AGE_GROUPS: Final = ("Young", "Middle-aged", "Senior", "Elderly")
LATE_JOINER_SHARE: Final = 0.15
PERFECT_SCORE: Final = 850.0
PERFECT_SCORE_SHARE: Final = 0.02
MILLIONAIRE_SHARE: Final = 0.003
TINY_SALARY_SHARE: Final = 0.01
MISSING_GEOGRAPHY_SHARE: Final = 0.006
MISSING_GENDER_SHARE: Final = 0.008
MISSING_AGE_SHARE: Final = 0.010


@dataclass(frozen=True)
class Customers:
    """One entry per customer in every array; ``nan`` and ``None`` are missing values."""

    customer_id: Ints
    geography: Texts
    gender: Texts
    age: Floats
    tenure_days: Floats
    first_day: Ints
    activity_rate: Floats
    balance: Floats
    credit_score: Floats
    salary: Floats

    def __len__(self) -> int:
        return len(self.customer_id)


def draw_customers(*, rng: np.random.Generator, customer_id: Ints, days: int) -> Customers:
    """Traits and opening values of these customers, who appear on days ``0`` to ``days - 1``.

    Money is in euro, rates are chances per day. The rare cases (missing traits, perfect scores, very
    large balances, tiny salaries) come as shares rounded down, so a small bank is not ruined by chance.
    """
    size = len(customer_id)
    geography = rng.choice(np.array(GEOGRAPHIES, dtype=object), size=size, p=GEOGRAPHY_SHARES)
    gender = rng.choice(np.array(["Male", "Female"], dtype=object), size=size, p=[0.55, 0.45])
    age = np.clip(np.round(rng.lognormal(mean=3.63, sigma=0.26, size=size)), 18, 92)
    tenure_days = rng.integers(30, 3650, size=size).astype(np.float64)
    first_day = np.where(rng.random(size) < LATE_JOINER_SHARE, rng.integers(min(1, days - 1), days, size=size), 0)
    activity_rate = rng.beta(2.0, 3.0, size=size)
    balance: Floats = np.clip(rng.normal(119_730, 25_000, size=size), 1_000, 260_000).round(2)
    zero_chance = np.array([ZERO_BALANCE_SHARES[name] for name in geography])
    balance[rng.random(size) < zero_chance] = 0.0
    credit_score = np.clip(np.round(rng.normal(650, 92, size=size)), 350, PERFECT_SCORE - 1)
    salary = np.round(rng.uniform(9_000, 200_000, size=size), 2)

    featured = np.flatnonzero(customer_id == FEATURED_CUSTOMER)
    for index in featured:
        geography[index], gender[index], age[index], first_day[index] = "Spain", "Female", 41.0, 0
        activity_rate[index], balance[index] = 0.95, 161_993.89
        credit_score[index], salary[index] = 698.0, 90_212.38
    tenure_days[first_day > 0] = 0.0

    # One shuffled order dealt out in turn keeps every rare case on customers of its own.
    others = rng.permutation(np.setdiff1d(np.arange(size), featured))
    dealt = 0

    def deal(share: float) -> Ints:
        nonlocal dealt
        taken = others[dealt : dealt + int(share * size)]
        dealt += len(taken)
        return taken

    credit_score[deal(PERFECT_SCORE_SHARE)] = PERFECT_SCORE
    rich = deal(MILLIONAIRE_SHARE)
    balance[rich] = np.round(rng.uniform(1_150_000, 1_800_000, size=len(rich)), 2)
    poor = deal(TINY_SALARY_SHARE)
    salary[poor] = np.round(rng.uniform(11, 2_500, size=len(poor)), 2)
    geography[deal(MISSING_GEOGRAPHY_SHARE)] = None
    gender[deal(MISSING_GENDER_SHARE)] = None
    age[deal(MISSING_AGE_SHARE)] = np.nan
    return Customers(
        customer_id=customer_id,
        geography=geography,
        gender=gender,
        age=age,
        tenure_days=tenure_days,
        first_day=first_day,
        activity_rate=activity_rate,
        balance=balance,
        credit_score=credit_score,
        salary=salary,
    )


def draw_customer_ids(*, rng: np.random.Generator, size: int) -> Ints:
    """``size`` distinct ids in ascending order, the featured customer among them."""
    span = max(CUSTOMER_ID_SPAN, 2 * size)
    candidates = LOWEST_CUSTOMER_ID + rng.choice(span, size=size, replace=False).astype(np.int64)
    if FEATURED_CUSTOMER not in candidates:
        candidates[0] = FEATURED_CUSTOMER
    return np.sort(candidates)


def age_group(*, age: Floats) -> Texts:
    """The name of each age's bin (left edge included); ``None`` for a missing age."""
    return bin_labels(values=age, bins=AGE_BINS, labels=AGE_GROUPS, outside=None)


def bin_labels(*, values: Floats, bins: tuple[int, ...], labels: tuple[str, ...], outside: str | None) -> Texts:
    """The label of each value's bin ``[left, right)``; ``outside`` for missing or uncovered values."""
    names: npt.NDArray[Any] = np.array([outside, *labels, outside], dtype=object)
    position = np.where(np.isnan(values), 0, np.digitize(values, bins))
    return names[position]

"""What step 6 computes: aggregates over a customer's recent records, and the features derived from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from ingestion.demo_warehouse.customers import Bools, Floats, Ints, Texts, bin_labels

WINDOW: Final = 3
"""Daily balance records that one step-6 run aggregates per customer."""

CREDIT_SCORE_BINS: Final = (300, 580, 670, 740, 800, 850)
CREDIT_SCORE_LABELS: Final = ("Poor", "Fair", "Good", "Very Good", "Excellent")
GEOGRAPHIC_RISK: Final = {"France": 1.0, "Germany": 2.0, "Spain": 3.0}
MISSING_BALANCE_SHARE: Final = 0.007
MISSING_SCORE_SHARE: Final = 0.006
MISSING_SALARY_SHARE: Final = 0.009


@dataclass(frozen=True)
class Records:
    """What a run reads: ``balances`` is customers x ``WINDOW``, ``nan`` where a record does not exist."""

    balances: Floats
    credit_score: Floats
    salary: Floats
    geography: Texts

    def take(self, *, rows: Ints) -> Records:
        """The records of the customers at these positions, as copies."""
        return Records(
            balances=self.balances[rows].copy(),
            credit_score=self.credit_score[rows].copy(),
            salary=self.salary[rows].copy(),
            geography=self.geography[rows].copy(),
        )


@dataclass(frozen=True)
class Features:
    """One entry per customer; euro, points, and ``nan`` for what cannot be computed."""

    record_count: Ints
    balance_sum: Floats
    balance_mean: Floats
    balance_std: Floats
    balance_min: Floats
    balance_max: Floats
    credit_score_mean: Floats
    estimated_salary_mean: Floats
    balance_to_salary_ratio: Floats
    credit_score_category: Texts
    high_value_customer: Ints
    geographic_risk_score: Floats

    def differ_from(self, *, other: Features) -> Bools:
        """Which customers have another value in any numerical feature; two missing values are equal."""
        different = np.zeros(len(self.record_count), dtype=np.bool_)
        for column in fields(self):
            mine, theirs = getattr(self, column.name), getattr(other, column.name)
            if mine.dtype != object:
                both_missing = np.isnan(mine) & np.isnan(theirs)
                different |= (mine != theirs) & ~both_missing
        return different


def compute_features(*, records: Records, high_value_above: float) -> Features:
    """The features of these records; a balance above ``high_value_above`` makes a high-value customer.

    ``balance_std`` is the sample deviation, 0 for a single record. A score outside the bins, which have
    an open right end (so 850 as well), or a missing one has the category text ``nan``, as step 6 writes.
    """
    exists = ~np.isnan(records.balances)
    count = exists.sum(axis=1).astype(np.int64)
    divisor = np.where(count > 0, count, 1)
    filled = np.where(exists, records.balances, 0.0)
    total = np.round(filled.sum(axis=1), 2)
    mean = total / divisor
    low = np.where(exists, filled, np.inf).min(axis=1)
    high = np.where(exists, filled, -np.inf).max(axis=1)
    squares = np.where(exists, (filled - mean[:, None]) ** 2, 0.0).sum(axis=1)
    # Equal records deviate by nothing, not by what rounding of their mean leaves.
    std = np.where(low == high, 0.0, np.sqrt(squares / np.maximum(divisor - 1, 1)))
    known = count > 0
    balance_mean = np.where(known, mean, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = balance_mean / records.salary
    return Features(
        record_count=count,
        balance_sum=np.where(known, total, np.nan),
        balance_mean=balance_mean,
        balance_std=np.where(known, std, np.nan),
        balance_min=np.where(known, low, np.nan),
        balance_max=np.where(known, high, np.nan),
        credit_score_mean=records.credit_score,
        estimated_salary_mean=records.salary,
        balance_to_salary_ratio=ratio,
        credit_score_category=bin_labels(
            values=records.credit_score,
            bins=CREDIT_SCORE_BINS,
            labels=CREDIT_SCORE_LABELS,
            outside="nan",
        ),
        high_value_customer=(balance_mean > high_value_above).astype(np.int64),
        geographic_risk_score=np.array([GEOGRAPHIC_RISK.get(name, np.nan) for name in records.geography]),
    )


def high_value_threshold(*, balances: Floats) -> float:
    """The 75th percentile of the customers' mean balances; ``balances`` as in ``Records``."""
    exists = ~np.isnan(balances)
    known = exists.any(axis=1)
    mean = np.where(exists, balances, 0.0).sum(axis=1)[known] / exists.sum(axis=1)[known]
    return float(np.percentile(mean, 75)) if len(mean) else 0.0


def lose_some(*, rng: np.random.Generator, records: Records, protected: Bools) -> Records:
    """The same records with a few balances, scores and salaries missing, never of protected customers.

    Shares are rounded down, so a run of a few rows loses none.
    """
    candidates = np.flatnonzero(~protected)
    size = len(records.salary)

    def chosen(share: float) -> Ints:
        quota = min(int(share * size), len(candidates))
        return rng.choice(candidates, size=quota, replace=False) if quota else np.empty(0, dtype=np.int64)

    kept = records.take(rows=np.arange(size))
    kept.balances[chosen(MISSING_BALANCE_SHARE)] = np.nan
    kept.credit_score[chosen(MISSING_SCORE_SHARE)] = np.nan
    kept.salary[chosen(MISSING_SALARY_SHARE)] = np.nan
    return kept

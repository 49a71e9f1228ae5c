"""The merchants of the demo bank: what is settled with them every night, and how the fraud team scores them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd

MERCHANTS: Final = 180
CATEGORIES: Final = ("groceries", "fashion", "electronics", "restaurants", "travel", "pharmacy")
CATEGORY_SHARES: Final = (0.26, 0.17, 0.10, 0.27, 0.08, 0.12)
TICKETS: Final = {
    "groceries": 38.0,
    "fashion": 72.0,
    "electronics": 190.0,
    "restaurants": 31.0,
    "travel": 260.0,
    "pharmacy": 24.0,
}
SALE_CATEGORIES: Final = ("fashion", "electronics", "travel")
SALE_DAYS: Final = 9
SALE_FACTOR: Final = 1.9
DAYS_MISSING: Final = 3
"""The acquirer's file has not come for so many days at the end: the group is late."""

BROKEN_REFUNDS: Final = (8, 19)
"""Days on which the acquirer sent refunds above the sales of some merchants."""

UNSCORED_SHARE: Final = 0.14
"""Merchants whom the model of the last two weeks cannot score."""

EMBEDDING: Final = 8


@dataclass(frozen=True)
class Merchants:
    """One entry per merchant in every array."""

    merchant_id: list[str]
    category: list[str]
    sales: np.ndarray[tuple[int], np.dtype[np.float64]]
    first_seen: np.ndarray[tuple[int], np.dtype[np.int64]]
    risk: np.ndarray[tuple[int], np.dtype[np.float64]]
    embedding: np.ndarray[tuple[int, int], np.dtype[np.float64]]


def draw_merchants(*, seed: int) -> Merchants:
    """Who they are: mean sales a day, days since the first settlement, chance of a chargeback."""
    rng = np.random.default_rng([seed, 1])
    category = [str(name) for name in rng.choice(CATEGORIES, size=MERCHANTS, p=CATEGORY_SHARES)]
    centres = rng.normal(0, 1, size=(len(CATEGORIES), EMBEDDING))
    near = centres[[CATEGORIES.index(name) for name in category]]
    return Merchants(
        merchant_id=[f"M{number:05}" for number in np.sort(rng.choice(90_000, MERCHANTS, replace=False) + 10_000)],
        category=category,
        sales=rng.lognormal(4.0, 0.9, size=MERCHANTS),
        first_seen=rng.integers(40, 2600, size=MERCHANTS),
        risk=rng.beta(1.2, 14.0, size=MERCHANTS),
        embedding=near + rng.normal(0, 0.35, size=(MERCHANTS, EMBEDDING)),
    )


def settlements_of(*, merchants: Merchants, day: int, days: int, at: datetime, seed: int) -> pd.DataFrame:
    """The rows that the acquirer sends on ``day``; none on the last days."""
    rng = np.random.default_rng([seed, 2, day])
    left = days - 1 - day
    weekend = 1.35 if at.weekday() >= 5 else 1.0
    count = rng.poisson(merchants.sales * weekend)
    usual = np.array([TICKETS[name] for name in merchants.category])
    in_sale = np.isin(merchants.category, SALE_CATEGORIES) & (left < SALE_DAYS)
    ticket = np.round(usual * rng.lognormal(0.0, 0.18, size=MERCHANTS) * np.where(in_sale, SALE_FACTOR, 1.0), 2)
    refund = np.round(np.clip(rng.beta(1.5, 40.0, size=MERCHANTS), 0, 0.6), 4)
    if day in BROKEN_REFUNDS:
        refund[rng.choice(MERCHANTS, size=4, replace=False)] = [1.31, 1.07, 2.4, 1.12]
    frame = pd.DataFrame(
        {
            "merchant_id": merchants.merchant_id,
            "settled_at": f"{at - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}",
            "merchant_category": merchants.category,
            "sales_count": count,
            "average_ticket": ticket,
            "refund_share": refund,
        }
    )
    return frame[(count > 0) & (left >= DAYS_MISSING)]


def scores_of(*, merchants: Merchants, day: int, days: int, at: datetime, seed: int) -> pd.DataFrame:
    """What the fraud team's model says of all merchants on ``day``."""
    rng = np.random.default_rng([seed, 3, day])
    score = np.clip(merchants.risk * rng.lognormal(0.0, 0.15, size=MERCHANTS), 0, 1).round(4)
    if days - 1 - day < 14:
        score[rng.choice(MERCHANTS, size=round(UNSCORED_SHARE * MERCHANTS), replace=False)] = np.nan
    moved = merchants.embedding + rng.normal(0, 0.02, size=merchants.embedding.shape)
    return pd.DataFrame(
        {
            "merchant_id": merchants.merchant_id,
            "scored_at": pd.Timestamp(at - timedelta(minutes=10)),
            "chargeback_score": score,
            "on_watch_list": merchants.risk > np.quantile(merchants.risk, 0.95),
            "first_seen_at": [
                pd.Timestamp(at - timedelta(days=int(age) + day)).floor("D") for age in merchants.first_seen
            ],
            "embedding": [vector.round(4).tolist() for vector in moved],
        }
    )

"""The rows of ``fact_customer_activity``: who used the account on a day, how, and when step 6 learned it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ingestion.demo_warehouse.customers import Bools, Ints, Texts
from ingestion.demo_warehouse.movements import Day

CHANNELS: Final = ("mobile", "online", "atm", "branch")
CHANNEL_SHARES: Final = (0.48, 0.27, 0.15, 0.10)
LATE_SHARE: Final = 0.03


@dataclass(frozen=True)
class Activity:
    """The activity of one day: columns by name, one row per customer who used the account."""

    columns: Mapping[str, Any]

    def part(self, *, rows: Bools, created: str) -> Mapping[str, Any]:
        """The columns of some rows, as a run writes them at ``created``."""
        chosen = {name: values[rows] for name, values in self.columns.items()}
        return {**chosen, "created_date": [created] * int(rows.sum())}


def day_activity(*, rng: np.random.Generator, customer_id: Ints, day: Day, date: str) -> Activity:
    """The activity of a day, from its transactions; ``date`` is its ``YYYY-MM-DD``."""
    active = np.flatnonzero(day.transaction_count > 0)
    channel: Texts = rng.choice(np.array(CHANNELS, dtype=object), size=len(active), p=CHANNEL_SHARES)
    return Activity(
        columns={
            "customer_id": customer_id[active],
            "activity_date": np.full(len(active), date, dtype=object),
            "transaction_count": day.transaction_count[active],
            "transaction_amount": day.transaction_amount[active],
            "balance_change": day.balance_change[active],
            "channel": channel,
        }
    )


def draw_late(*, rng: np.random.Generator, activity: Activity) -> Bools:
    """Which rows of a day only the next run gets to see."""
    return rng.random(len(activity.columns["customer_id"])) < LATE_SHARE

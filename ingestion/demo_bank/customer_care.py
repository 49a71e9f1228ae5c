"""What customer care of the demo bank knows of customers: how to reach them, and what they say of its help."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd

from ingestion.demo_warehouse.customers import CUSTOMER_ID_SPAN, LOWEST_CUSTOMER_ID, Ints

SURVEYED: Final = 90
"""Customers who are asked per day."""

BROKEN_ON: Final = 11
"""The day on which the survey tool sent zeros for "no answer"; the next day it sends the file anew, right."""

NO_ANSWER_SHARE: Final = 0.04
SATISFACTION_SHARES: Final = (0.06, 0.10, 0.22, 0.38, 0.24)
NAMES: Final = ("alex", "camille", "dana", "elena", "jonas", "lea", "marc", "nuria", "paul", "sofia", "theo", "yara")
DOMAINS: Final = ("example.com", "example.org", "example.net")


def contacts_of(*, customer_id: Ints, at: datetime, seed: int) -> pd.DataFrame:
    """How the customers who have joined by ``at`` can be reached; the same of one customer every time."""
    rng = np.random.default_rng([seed, 4])
    mine = rng.random((CUSTOMER_ID_SPAN, 4))[customer_id - LOWEST_CUSTOMER_ID]
    names = [NAMES[int(share * len(NAMES))] for share in mine[:, 0]]
    domains = [DOMAINS[int(share * len(DOMAINS))] for share in mine[:, 1]]
    return pd.DataFrame(
        {
            "customer_id": customer_id,
            "updated_at": f"{at - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}",
            "contact_email": [
                f"{name}.{key % 10_000:04}@{domain}"
                for name, key, domain in zip(names, customer_id.tolist(), domains, strict=True)
            ],
            "contact_postcode": [f"{10_000 + int(share * 85_000):05}" for share in mine[:, 2]],
            "marketing_consent": np.where(mine[:, 3] < 0.37, "true", "false"),
        }
    )


def survey_of(
    *, customer_id: Ints, day: int, days: int, at: datetime, seed: int, corrected: bool = False
) -> pd.DataFrame:
    """The answers of ``day``; ``corrected`` as the tool sends them the day after.

    On the last day the tool has moved to a scale of 0 to 10, which nobody has told the feature store.
    """
    rng = np.random.default_rng([seed, 5, day])
    asked = rng.choice(customer_id, size=min(SURVEYED, len(customer_id)), replace=False)
    size = len(asked)
    month = 1 + rng.poisson(0.8, size=size)
    answers = rng.choice(np.arange(1, 6), size=size, p=SATISFACTION_SHARES).astype(object)
    silent = rng.random(size) < NO_ANSWER_SHARE
    wrong = day == BROKEN_ON and not corrected
    if day == days - 1:
        answers = np.minimum(10, np.array(answers, dtype=np.int64) * 2 - rng.integers(0, 2, size=size)).astype(object)
    answers[silent] = 0 if wrong else ""
    return pd.DataFrame(
        {
            "customer_id": asked,
            "surveyed_at": f"{at - timedelta(minutes=20):%Y-%m-%dT%H:%M:%SZ}",
            "tickets_30d": month,
            "tickets_open": np.minimum(month, rng.poisson(0.5, size=size)),
            "satisfaction": answers,
            "last_contact_at": [
                f"{at - timedelta(minutes=int(minutes)):%Y-%m-%dT%H:%M:%SZ}"
                for minutes in rng.integers(60, 60 * 24 * 9, size=size)
            ],
        }
    )

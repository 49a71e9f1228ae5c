"""The branches of the demo bank, a second entity whose features sum up their customers' day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ingestion.demo_warehouse.customers import Floats, Ints, Texts

BRANCHES: Final = (
    (101, "Paris", "France", "1962-03-05"),
    (102, "Lyon", "France", "1971-09-14"),
    (103, "Marseille", "France", "1978-05-22"),
    (104, "Lille", "France", "1985-10-07"),
    (105, "Bordeaux", "France", "1993-02-15"),
    (106, "Nantes", "France", "2004-06-01"),
    (201, "Berlin", "Germany", "1991-01-21"),
    (202, "Hamburg", "Germany", "1996-04-09"),
    (203, "Munich", "Germany", "2001-11-12"),
    (301, "Madrid", "Spain", "1988-08-30"),
    (302, "Barcelona", "Spain", "1994-12-05"),
    (303, "Valencia", "Spain", "2007-03-19"),
)


def branch_of(*, customer_id: Ints, geography: Texts) -> Ints:
    """The branch each customer belongs to: one of their country, or any when the country is missing."""
    every = np.array([branch[0] for branch in BRANCHES], dtype=np.int64)
    home = every[customer_id % len(every)]
    for country in sorted({branch[2] for branch in BRANCHES}):
        local = np.array([branch[0] for branch in BRANCHES if branch[2] == country], dtype=np.int64)
        here = geography == country
        home[here] = local[customer_id[here] % len(local)]
    return home


def branch_dimension(*, created: str) -> Mapping[str, Any]:
    """The columns of ``dim_branches``."""
    return {
        "branch_id": [branch[0] for branch in BRANCHES],
        "branch_name": [f"{branch[1]} branch" for branch in BRANCHES],
        "city": [branch[1] for branch in BRANCHES],
        "geography": [branch[2] for branch in BRANCHES],
        "opened_date": [branch[3] for branch in BRANCHES],
        "created_date": [created] * len(BRANCHES),
    }


def branch_features(
    *, branch: Ints, balance: Floats, transaction_count: Ints, transaction_amount: Floats, updated: str
) -> Mapping[str, Any]:
    """The columns of ``fact_branch_features`` of one run, one row per branch that has customers.

    All arguments have one entry per customer; a balance that is ``nan`` counts as no balance known.
    """
    branch_id, position = np.unique(branch, return_inverse=True)
    size = len(branch_id)
    known = ~np.isnan(balance)
    known_count = np.bincount(position[known], minlength=size)
    total = np.round(np.bincount(position[known], weights=balance[known], minlength=size), 2)
    zeros = np.bincount(position[known & (balance == 0.0)], minlength=size)
    divisor = np.maximum(known_count, 1)
    return {
        "branch_id": branch_id,
        "customer_count": np.bincount(position, minlength=size),
        "balance_total": total,
        "balance_mean": np.where(known_count > 0, total / divisor, np.nan),
        "zero_balance_share": np.where(known_count > 0, zeros / divisor, np.nan),
        "transaction_count": np.bincount(position, weights=transaction_count, minlength=size).astype(np.int64),
        "transaction_amount": np.round(np.bincount(position, weights=transaction_amount, minlength=size), 2),
        "last_updated": [updated] * size,
    }

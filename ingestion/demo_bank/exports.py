"""The files that the demo bank gets beside its warehouse: exports as CSV, results of a model as Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from ingestion.demo_bank.customer_care import BROKEN_ON, contacts_of, survey_of
from ingestion.demo_bank.merchants import draw_merchants, scores_of, settlements_of
from ingestion.demo_warehouse import WarehouseDay

CSV_FOLDER: Final = "exports"
PARQUET_FOLDER: Final = "models"
WEEK: Final = 7


def is_weekly(*, day: int, days: int) -> bool:
    """Whether ``day`` is one on which weekly work is done: the first, and every seventh before the last but one."""
    return day == 0 or (days - 2 - day) % WEEK == 0


class BankExports:
    """Writes the files of each day, in order, into ``folder``; the same seed gives the same rows."""

    def __init__(self, *, folder: Path, days: int, seed: int) -> None:
        self._days, self._seed = days, seed
        self._csv, self._parquet = folder / CSV_FOLDER, folder / PARQUET_FOLDER
        self._merchants = draw_merchants(seed=seed)
        self._settlements: list[pd.DataFrame] = []
        self._scores: list[pd.DataFrame] = []
        self._surveys: list[pd.DataFrame] = []
        self._yesterday: WarehouseDay | None = None

    def write_day(self, today: WarehouseDay) -> None:
        """All files as they lie there after the night of ``today``."""
        day, at, days, seed = today.number, today.at, self._days, self._seed
        self._settlements.append(settlements_of(merchants=self._merchants, day=day, days=days, at=at, seed=seed))
        _replace_csv(self._csv / "merchant_settlements.csv", self._settlements)
        if self._yesterday is not None and self._yesterday.number == BROKEN_ON:
            self._surveys[-1] = self._survey(self._yesterday, corrected=True)
        self._surveys.append(self._survey(today))
        _replace_csv(self._csv / "service_desk.csv", self._surveys)
        self._yesterday = today
        if is_weekly(day=day, days=days):
            contacts = contacts_of(customer_id=today.customer_id, at=at, seed=seed)
            _replace_csv(self._csv / "customer_contacts.csv", [contacts])
            self._scores.append(scores_of(merchants=self._merchants, day=day, days=days, at=at, seed=seed))
            _replace_parquet(self._parquet / "merchant_scores.parquet", self._scores)

    def _survey(self, of: WarehouseDay, *, corrected: bool = False) -> pd.DataFrame:
        return survey_of(
            customer_id=of.customer_id,
            day=of.number,
            days=self._days,
            at=of.at,
            seed=self._seed,
            corrected=corrected,
        )


def _replace_csv(path: Path, parts: list[pd.DataFrame]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    pd.concat(parts).to_csv(beside, index=False)
    beside.replace(path)


def _replace_parquet(path: Path, parts: list[pd.DataFrame]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    pd.concat(parts).to_parquet(beside, index=False)
    beside.replace(path)

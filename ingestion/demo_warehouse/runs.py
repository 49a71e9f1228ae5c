"""One step-6 run: its rows, its line in ``transformation_metadata`` and its JSON report."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from ingestion.demo_warehouse.customers import Floats, Ints, Texts, age_group
from ingestion.demo_warehouse.features import Features
from ingestion.demo_warehouse.tables import append, timestamp_text

RAW_COLUMNS: Final = 14
"""Columns of the raw bank records that step 6 reads."""


@dataclass(frozen=True)
class Run:
    """What one run computed, one entry per customer it wrote; ``at`` is its aware UTC time."""

    at: datetime
    customer_id: Ints
    geography: Texts
    gender: Texts
    age: Floats
    features: Features

    @property
    def input_records(self) -> int:
        """How many raw records the run aggregated."""
        return int(self.features.record_count.sum())


def report_columns(*, run: Run) -> Mapping[str, Any]:
    """The run's features under the names that step 6 gives them before it writes the warehouse."""
    features = run.features
    nothing_varies = np.where(np.isnan(features.credit_score_mean), np.nan, 0.0)
    return {
        "CustomerId": run.customer_id,
        "Balance_sum": features.balance_sum,
        "Balance_mean": features.balance_mean,
        "Balance_std": features.balance_std,
        "Balance_min": features.balance_min,
        "Balance_max": features.balance_max,
        "CreditScore_mean": features.credit_score_mean,
        "CreditScore_std": nothing_varies,
        "EstimatedSalary_mean": features.estimated_salary_mean,
        "EstimatedSalary_std": np.where(np.isnan(features.estimated_salary_mean), np.nan, 0.0),
        "Age_mean": run.age,
        "Geography_mode": run.geography,
        "Geography_unique_count": np.array([int(name is not None) for name in run.geography], dtype=np.int64),
        "Gender_mode": run.gender,
        "balance_to_salary_ratio": features.balance_to_salary_ratio,
        "credit_score_category": features.credit_score_category,
        "age_group": age_group(age=run.age),
        "high_value_customer": features.high_value_customer,
        "geographic_risk_score": features.geographic_risk_score,
    }


def append_run(connection: sqlite3.Connection, *, run: Run, config: str) -> int:
    """Append the run's rows to ``fact_customer_features`` and note the run; returns the rows written."""
    features = run.features
    updated = timestamp_text(moment=run.at)
    written = append(
        connection,
        table="fact_customer_features",
        columns={
            "customer_id": run.customer_id,
            "balance_sum": features.balance_sum,
            "balance_mean": features.balance_mean,
            "balance_std": features.balance_std,
            "credit_score_mean": features.credit_score_mean,
            "estimated_salary_mean": features.estimated_salary_mean,
            "balance_to_salary_ratio": features.balance_to_salary_ratio,
            "credit_score_category": features.credit_score_category,
            "high_value_customer": features.high_value_customer,
            "geographic_risk_score": features.geographic_risk_score,
            "last_updated": [updated] * len(run.customer_id),
        },
    )
    append(
        connection,
        table="transformation_metadata",
        columns={
            "transformation_date": [updated],
            "input_records": [run.input_records],
            "output_records": [written],
            "features_created": [len(report_columns(run=run))],
            "transformation_config": [config],
        },
    )
    return written


def write_report(*, folder: Path, run: Run) -> Path:
    """Write ``feature_engineering_summary_<YYYYMMDD_HHMMSS>.json`` of a run into ``folder``."""
    columns = report_columns(run=run)
    rows = len(run.customer_id)
    moment = run.at.astimezone(UTC).replace(tzinfo=None)
    numerical = [name for name, values in columns.items() if values.dtype != object]
    report = {
        "transformation_timestamp": moment.isoformat(),
        "input_shape": [run.input_records, RAW_COLUMNS],
        "output_shape": [rows, len(columns)],
        "features_created": len(columns),
        "feature_list": list(columns),
        "numerical_features": numerical,
        "categorical_features": [name for name in columns if name not in numerical],
        "data_types": {name: _data_type(name=name, values=values) for name, values in columns.items()},
        "missing_values": {name: _missing(values=values) for name, values in columns.items()},
        "statistical_summary": {name: summary(values=columns[name]) for name in numerical},
    }
    path = folder / f"feature_engineering_summary_{moment:%Y%m%d_%H%M%S}.json"
    path.write_text(json.dumps(report, indent=4) + "\n", encoding="utf-8")
    return path


def summary(*, values: Any) -> dict[str, float | None]:
    """Count, mean, sample deviation, extremes and quartiles of the values that are not ``nan``.

    A number that does not exist (the deviation of one value, anything of none) is ``None``.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        nothing = dict.fromkeys(("mean", "std", "min", "25%", "50%", "75%", "max"))
        return {"count": 0.0, **nothing}
    low, first, middle, third, high = (float(value) for value in np.percentile(known, [0, 25, 50, 75, 100]))
    return {
        "count": float(len(known)),
        "mean": float(known.mean()),
        "std": float(known.std(ddof=1)) if len(known) > 1 else None,
        "min": low,
        "25%": first,
        "50%": middle,
        "75%": third,
        "max": high,
    }


def _missing(*, values: Any) -> int:
    if values.dtype == object:
        return sum(value is None or value == "nan" for value in values)
    return int(np.isnan(values).sum())


def _data_type(*, name: str, values: Any) -> str:
    if values.dtype == object:
        return "category" if name in ("credit_score_category", "age_group") else "str"
    return str(values.dtype)

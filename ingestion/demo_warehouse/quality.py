"""What a step-6 warehouse says of itself: ``feature_metadata`` and ``data_quality_metrics``, measured."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ingestion.demo_warehouse.runs import summary
from ingestion.demo_warehouse.tables import append, column_names

OUTLIER_DEVIATIONS: Final = 4.0
"""A number further than this many sample deviations from the mean counts as an outlier."""


@dataclass(frozen=True)
class Described:
    """A warehouse column that is a feature; ``valid`` is a closed range or the allowed texts."""

    table: str
    column: str
    kind: str
    description: str
    formula: str
    valid: tuple[float, float] | frozenset[str]


_FACTS: Final = "fact_customer_features"
DESCRIBED: Final = (
    Described(
        "dim_customers",
        "geography",
        "categorical",
        "Country of the customer",
        "mode(Geography)",
        frozenset({"France", "Germany", "Spain"}),
    ),
    Described(
        "dim_customers",
        "gender",
        "categorical",
        "Gender of the customer",
        "mode(Gender)",
        frozenset({"Male", "Female"}),
    ),
    Described("dim_customers", "age", "numerical", "Age in years", "mean(Age)", (18, 100)),
    Described(
        "dim_customers",
        "age_group",
        "derived",
        "Customer age categories",
        "bin_age",
        frozenset({"Young", "Middle-aged", "Senior", "Elderly"}),
    ),
    Described(_FACTS, "balance_sum", "numerical", "Sum of recent balances", "sum(Balance)", (0, 1e6)),
    Described(_FACTS, "balance_mean", "numerical", "Mean of recent balances", "mean(Balance)", (0, 1e6)),
    Described(_FACTS, "balance_std", "numerical", "Deviation of recent balances", "std(Balance)", (0, 1e6)),
    Described(_FACTS, "credit_score_mean", "numerical", "Credit score", "mean(CreditScore)", (300, 850)),
    Described(
        _FACTS,
        "estimated_salary_mean",
        "numerical",
        "Estimated yearly salary",
        "mean(EstimatedSalary)",
        (0, 500_000),
    ),
    Described(
        _FACTS,
        "balance_to_salary_ratio",
        "derived",
        "Customer balance as proportion of estimated salary",
        "Balance / EstimatedSalary",
        (0, 10),
    ),
    Described(
        _FACTS,
        "credit_score_category",
        "derived",
        "Categorical credit score ranges",
        "bin_credit_score",
        frozenset({"Poor", "Fair", "Good", "Very Good", "Excellent"}),
    ),
    Described(
        _FACTS,
        "high_value_customer",
        "boolean",
        "Customer with balance > 75th percentile",
        "Balance > balance_p75",
        (0, 1),
    ),
    Described(
        _FACTS,
        "geographic_risk_score",
        "derived",
        "Risk score based on geography",
        "geography_risk_mapping",
        (0, 5),
    ),
)


def describe_warehouse(connection: sqlite3.Connection, *, measured: str) -> None:
    """Measure every described column that exists: renew ``feature_metadata``, append to the quality table.

    ``measured`` is the time text of the run. Does nothing for tables the warehouse does not have.
    """
    if column_names(connection, table="feature_metadata"):
        connection.execute("DELETE FROM feature_metadata")
    for described in DESCRIBED:
        if described.column not in column_names(connection, table=described.table):
            continue
        # Both names come from the constant above, never from outside.
        query = f"SELECT {described.column} FROM {described.table}"
        stored = [row[0] for row in connection.execute(query)]
        values = [value for value in stored if value is not None and value != "nan"]
        _append_metadata(connection, described, stored=stored, values=values, measured=measured)
        _append_quality(connection, described, stored=stored, values=values, measured=measured)


def _append_metadata(
    connection: sqlite3.Connection,
    described: Described,
    *,
    stored: list[Any],
    values: list[Any],
    measured: str,
) -> None:
    numerical = isinstance(described.valid, tuple)
    numbers = summary(values=np.array(values if numerical else [], dtype=np.float64))
    row = {
        "feature_name": described.column,
        "feature_type": described.kind,
        "description": described.description,
        "formula": described.formula,
        "data_type": _data_type(described),
        "min_value": numbers["min"],
        "max_value": numbers["max"],
        "mean_value": numbers["mean"],
        "std_value": numbers["std"],
        "null_count": len(stored) - len(values),
        "unique_count": len(set(values)),
        "version": "1.0",
        "is_active": 1,
        "created_date": measured,
    }
    append(connection, table="feature_metadata", columns={name: [value] for name, value in row.items()})


def _append_quality(
    connection: sqlite3.Connection,
    described: Described,
    *,
    stored: list[Any],
    values: list[Any],
    measured: str,
) -> None:
    """All shares are 0 to 1, of the rows (completeness) or of the values that are there (the others)."""
    valid, outliers = described.valid, 0
    proper: list[Any]
    if isinstance(valid, tuple):
        low, high = valid
        proper = [value for value in values if isinstance(value, int | float)]
        invalid = sum(not low <= value <= high for value in proper) + len(values) - len(proper)
        numbers = np.array(proper, dtype=np.float64)
        deviation = numbers.std(ddof=1) if len(numbers) > 1 else 0.0
        if deviation > 0:
            outliers = int((np.abs(numbers - numbers.mean()) > OUTLIER_DEVIATIONS * deviation).sum())
    else:
        proper = [value for value in values if isinstance(value, str)]
        invalid = sum(value not in valid for value in values)
    count = max(len(values), 1)
    unique = len(set(values))
    shares = {
        "completeness": len(values) / max(len(stored), 1),
        "accuracy": 1 - outliers / count,
        "consistency": len(proper) / count,
        "validity": 1 - invalid / count,
    }
    row = {
        "table_name": described.table,
        "column_name": described.column,
        **shares,
        "uniqueness": unique / count,
        "null_count": len(stored) - len(values),
        "duplicate_count": len(values) - unique,
        "outlier_count": outliers,
        "invalid_count": invalid,
        "overall_quality_score": sum(shares.values()) / len(shares),
        "measurement_date": measured,
    }
    append(connection, table="data_quality_metrics", columns={name: [value] for name, value in row.items()})


def _data_type(described: Described) -> str:
    if described.kind == "boolean":
        return "boolean"
    return "float" if isinstance(described.valid, tuple) else "string"

"""The tables of a step-6 warehouse, and how columns of arrays get into them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from catalog.errors import InvalidInput

SCHEMA: Final = """
CREATE TABLE dim_customers (
    customer_id INTEGER PRIMARY KEY,
    customer_num INTEGER UNIQUE,
    geography TEXT,
    gender TEXT,
    age REAL,
    age_group TEXT,
    tenure_days REAL,
    created_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE fact_customer_features (
    feature_id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER,
    balance_sum REAL,
    balance_mean REAL,
    balance_std REAL,
    credit_score_mean REAL,
    estimated_salary_mean REAL,
    balance_to_salary_ratio REAL,
    credit_score_category TEXT,
    high_value_customer INTEGER,
    geographic_risk_score REAL,
    last_updated TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (customer_id) REFERENCES dim_customers(customer_id)
);
CREATE TABLE fact_customer_activity (
    activity_id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER,
    activity_date DATE,
    transaction_count INTEGER,
    transaction_amount REAL,
    balance_change REAL,
    channel TEXT,
    created_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (customer_id) REFERENCES dim_customers(customer_id)
);
CREATE TABLE dim_branches (
    branch_id INTEGER PRIMARY KEY,
    branch_name TEXT,
    city TEXT,
    geography TEXT,
    opened_date DATE,
    created_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE fact_branch_features (
    feature_id INTEGER PRIMARY KEY AUTOINCREMENT,
    branch_id INTEGER,
    customer_count INTEGER,
    balance_total REAL,
    balance_mean REAL,
    zero_balance_share REAL,
    transaction_count INTEGER,
    transaction_amount REAL,
    last_updated TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (branch_id) REFERENCES dim_branches(branch_id)
);
CREATE TABLE transformation_metadata (
    transformation_id INTEGER PRIMARY KEY AUTOINCREMENT,
    transformation_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    input_records INTEGER,
    output_records INTEGER,
    features_created INTEGER,
    transformation_config TEXT
);
CREATE TABLE feature_metadata (
    metadata_id INTEGER PRIMARY KEY AUTOINCREMENT,
    feature_name TEXT UNIQUE,
    feature_type TEXT,
    description TEXT,
    formula TEXT,
    data_type TEXT,
    min_value REAL,
    max_value REAL,
    mean_value REAL,
    std_value REAL,
    null_count INTEGER,
    unique_count INTEGER,
    version TEXT,
    is_active INTEGER,
    created_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE data_quality_metrics (
    metric_id INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT,
    column_name TEXT,
    completeness REAL,
    accuracy REAL,
    consistency REAL,
    validity REAL,
    uniqueness REAL,
    null_count INTEGER,
    duplicate_count INTEGER,
    outlier_count INTEGER,
    invalid_count INTEGER,
    overall_quality_score REAL,
    measurement_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_customers_geography ON dim_customers(geography);
CREATE INDEX idx_customers_age_group ON dim_customers(age_group);
CREATE INDEX idx_features_customer_id ON fact_customer_features(customer_id);
CREATE INDEX idx_features_last_updated ON fact_customer_features(last_updated);
CREATE INDEX idx_activity_customer_id ON fact_customer_activity(customer_id);
CREATE INDEX idx_activity_date ON fact_customer_activity(activity_date);
CREATE INDEX idx_branch_features_last_updated ON fact_branch_features(last_updated);
"""

TIMESTAMP_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


def timestamp_text(*, moment: datetime) -> str:
    """A moment as step 6 writes it: UTC, whole seconds (cut, not rounded).

    Raises InvalidInput for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise InvalidInput(f"{moment.isoformat()} has no time zone; give an aware datetime, such as UTC.")
    return moment.astimezone(UTC).strftime(TIMESTAMP_FORMAT)


def column_names(connection: sqlite3.Connection, *, table: str) -> list[str]:
    """The columns of a table in their order; empty when there is no such table."""
    return [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def append(connection: sqlite3.Connection, *, table: str, columns: Mapping[str, Any]) -> int:
    """Insert rows given as columns of equal length; returns how many.

    ``nan`` becomes NULL. Columns the table does not have are left out, and a table that does not exist
    takes nothing, because warehouses of this pipeline carry different extras.
    """
    present = [name for name in columns if name in column_names(connection, table=table)]
    if not present:
        return 0
    names = ", ".join(f'"{name}"' for name in present)
    marks = ", ".join("?" * len(present))
    rows = list(zip(*(_sql_values(columns[name]) for name in present), strict=True))
    connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)
    return len(rows)


def _sql_values(values: Any) -> Iterable[Any]:
    if not isinstance(values, np.ndarray):
        return list(values)
    if values.dtype.kind != "f":
        plain: list[Any] = values.tolist()
        return plain
    return [None if value != value else value for value in values.tolist()]

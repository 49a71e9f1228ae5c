"""The configuration that the demo's step-6 runs claim to have run with, and the names that follow from it."""

from __future__ import annotations

import json
from typing import Any, Final

from ingestion.demo_warehouse.customers import AGE_BINS, AGE_GROUPS
from ingestion.demo_warehouse.features import CREDIT_SCORE_BINS, CREDIT_SCORE_LABELS, GEOGRAPHIC_RISK

DATABASE_NAME: Final = "customer_data_warehouse.db"

DERIVED_FEATURES: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "customer_tenure_days",
        "description": "Days since customer account creation",
        "formula": "current_date - account_creation_date",
    },
    {
        "name": "balance_to_salary_ratio",
        "description": "Customer balance as proportion of estimated salary",
        "formula": "Balance / EstimatedSalary",
    },
    {
        "name": "credit_score_category",
        "description": "Categorical credit score ranges",
        "formula": "bin_credit_score",
        "bins": list(CREDIT_SCORE_BINS),
        "labels": list(CREDIT_SCORE_LABELS),
    },
    {
        "name": "age_group",
        "description": "Customer age categories",
        "formula": "bin_age",
        "bins": list(AGE_BINS),
        "labels": list(AGE_GROUPS),
    },
    {
        "name": "high_value_customer",
        "description": "Customer with balance > 75th percentile",
        "formula": "Balance > balance_p75",
    },
    {
        "name": "geographic_risk_score",
        "description": "Risk score based on geography",
        "formula": "geography_risk_mapping",
        "mapping": dict(GEOGRAPHIC_RISK),
    },
)


def transformation_config() -> str:
    """The configuration as the JSON text that ``transformation_metadata`` keeps per run."""
    return json.dumps(
        {
            "input_data": {
                "step5_output_dir": "../05_Data_Preparation/reports",
                "latest_cleaned_data": None,
                "metadata_file": None,
                "id_columns": ["CustomerId", "CustomerNum"],
            },
            "feature_engineering": {
                "customer_aggregations": {
                    "numerical_features": [
                        {"feature": "Balance", "aggregations": ["sum", "mean", "std", "min", "max"]},
                        {"feature": "CreditScore", "aggregations": ["mean", "std"]},
                        {"feature": "EstimatedSalary", "aggregations": ["mean", "std"]},
                        {"feature": "Age", "aggregations": ["mean"]},
                    ],
                    "categorical_features": [
                        {"feature": "Geography", "aggregations": ["mode", "count_unique"]},
                        {"feature": "Gender", "aggregations": ["mode"]},
                    ],
                },
                "derived_features": list(DERIVED_FEATURES),
                "temporal_features": {
                    "enabled": True,
                    "activity_patterns": ["monthly_activity", "seasonal_patterns", "account_age_buckets"],
                    "time_windows": [30, 90, 180, 365],
                },
                "scaling": {
                    "method": "none",
                    "exclude_columns": [
                        "CustomerId",
                        "CustomerNum",
                        "Exited",
                        "credit_score_category",
                        "age_group",
                        "high_value_customer",
                    ],
                },
            },
            "database": {
                "db_path": f"datawarehouse/{DATABASE_NAME}",
                "backup_enabled": True,
                "backup_path": "datawarehouse/backups",
                "tables": {
                    "dim_customers": {
                        "primary_key": "customer_id",
                        "indexes": ["geography", "gender", "age_group"],
                    },
                    "fact_customer_features": {
                        "primary_key": "feature_id",
                        "foreign_keys": [{"column": "customer_id", "references": "dim_customers(customer_id)"}],
                        "indexes": ["customer_id", "last_updated"],
                    },
                    "transformation_metadata": {
                        "primary_key": "transformation_id",
                        "indexes": ["transformation_date"],
                    },
                },
            },
            "output": {
                "reports_dir": "reports",
                "export_formats": ["csv", "parquet", "json"],
                "feature_summary_prefix": "feature_engineering_summary",
            },
            "processing": {
                "batch_size": 10000,
                "validation": {
                    "input_validation": True,
                    "feature_validation": True,
                    "database_validation": True,
                    "quality_thresholds": {
                        "min_completeness": 0.95,
                        "max_duplicate_rate": 0.01,
                        "min_feature_variance": 0.001,
                    },
                },
            },
        }
    )

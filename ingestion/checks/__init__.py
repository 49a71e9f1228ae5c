"""Checking values against declared rules (pure: no Django)."""

from ingestion.checks.checking import check_rows, merge_results
from ingestion.checks.drift import check_drift, drift_from
from ingestion.checks.outliers import check_outliers
from ingestion.checks.rules import CheckOutcome, ColumnRules, Reason, RuleOutcome

__all__ = [
    "CheckOutcome",
    "ColumnRules",
    "Reason",
    "RuleOutcome",
    "check_drift",
    "check_outliers",
    "check_rows",
    "drift_from",
    "merge_results",
]

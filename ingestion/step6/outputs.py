"""What step 6 of the pipeline left beside its features (pure: no Django)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in step 6's reports or metadata that could not be used; the values themselves are not touched."""

    code: str
    message: str
    feature: str | None = None
    rule: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "feature": self.feature, "rule": self.rule}


@dataclass(frozen=True)
class Summary:
    """A ``feature_engineering_summary_*.json``: what is said per raw name, such as Balance_mean."""

    file: str
    run_at: str | None
    names: tuple[str, ...]
    data_types: dict[str, str] = field(default_factory=dict)
    missing_values: dict[str, int] = field(default_factory=dict)
    statistics: dict[str, dict[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Transformation:
    """The newest row of ``transformation_metadata``, its configuration read."""

    run_at: str | None
    input_records: int | None = None
    output_records: int | None = None
    aggregations: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Raw name → (raw column, aggregation)."""
    derived: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Raw name → description, formula, bins and labels."""
    raw_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step6Outputs:
    """All that was found, and what could not be used."""

    summary: Summary | None = None
    transformation: Transformation | None = None
    described: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Feature name → the row of ``feature_metadata``."""
    measured: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(table, column) → the newest row of ``data_quality_metrics``."""
    problems: tuple[Problem, ...] = ()

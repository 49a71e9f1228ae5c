"""Statistics and quality of one value column (pure: no Django)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Profile:
    """What the newest row of every entity says about one value column.

    Every number is finite and every value fits JSON (times are ISO text). ``mean_value`` and ``std_dev`` (of the
    sample, n - 1) are of finite numbers; of a boolean, ``mean_value`` is the share of true. ``quantiles`` go by
    "0.05", "0.25", "0.5", "0.75", "0.95"; ``histogram`` is {"edges", "counts"} or empty. Completeness, validity
    and consistency are shares from 0 to 1, None where there was nothing to measure.
    """

    value_column: str
    name: str
    row_count: int
    null_count: int
    distinct_count: int | None = None
    min_value: Any = None
    max_value: Any = None
    mean_value: float | None = None
    std_dev: float | None = None
    quantiles: dict[str, Any] = field(default_factory=dict)
    histogram: dict[str, list[Any]] = field(default_factory=dict)
    top_values: list[dict[str, Any]] = field(default_factory=list)
    completeness: float | None = None
    validity: float | None = None
    consistency: float | None = None
    newest_event: datetime | None = None
    source_problem: str = ""

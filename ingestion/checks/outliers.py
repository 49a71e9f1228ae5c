"""Values far from the rest (pure: no Django).

A z-score is the distance from the mean in sample standard deviations; the interquartile method (Tukey,
Exploratory Data Analysis, 1977) measures the distance beyond the quartiles in interquartile ranges and is not
moved by the outliers themselves. Outliers warn; they flag and reject no rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from catalog.declarations import Severity
from catalog.value_types import NUMERIC_TYPES
from ingestion.checks.columns import Mask
from ingestion.checks.rules import SAMPLE_ROWS, ColumnRules, RuleOutcome, number_text
from ingestion.extraction.request import json_value

Method = Literal["z_score", "iqr"]
FEWEST_VALUES = 10


def outlier_rows(values: pa.ChunkedArray[Any] | pa.Array[Any], *, threshold: float, method: Method = "z_score") -> Mask:
    """Which values lie more than ``threshold`` from the rest; none where there are fewer than ten, or no spread."""
    numbers = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64) if len(values) else np.empty(0)
    finite = np.isfinite(numbers)
    if int(finite.sum()) < FEWEST_VALUES:
        return np.zeros(len(numbers), dtype=np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = _fences(numbers[finite], threshold, method)
        found: Mask = finite & ((numbers < low) | (numbers > high))
    return found


def check_outliers(
    table: pa.Table, columns: Sequence[ColumnRules], *, threshold: float, method: Method = "z_score"
) -> list[RuleOutcome]:
    """One result of the rule ``outlier`` per numeric column, of severity warn."""
    results = []
    for column in columns:
        if column.value_type not in NUMERIC_TYPES or column.source_problem:
            continue
        values = table.column(column.value_column)
        rows = np.flatnonzero(outlier_rows(values, threshold=threshold, method=method))
        checked = len(values) - values.null_count
        unit = "standard deviations" if method == "z_score" else "interquartile ranges"
        distance = f"{number_text(threshold)} {unit}"
        results.append(
            RuleOutcome(
                rule="outlier",
                feature=column.name,
                value_column=column.value_column,
                severity=Severity.WARN,
                passed=not len(rows),
                checked=checked,
                failed=len(rows),
                message=f"{column.name} is more than {distance} from the rest: {len(rows)} of {checked} values"
                if len(rows)
                else "",
                sample=tuple(_sampled(table, column, at) for at in rows[:SAMPLE_ROWS].tolist()),
            )
        )
    return results


def _fences(numbers: np.typing.NDArray[np.float64], threshold: float, method: Method) -> tuple[float, float]:
    if method == "z_score":
        centre, spread = float(numbers.mean()), float(numbers.std(ddof=1))
        low, high = centre, centre
    else:
        low, high = (float(edge) for edge in np.quantile(numbers, (0.25, 0.75)))
        spread = high - low
    # Without spread every value beside the one would be infinitely far; that is a matter for categories.
    if not spread > 0:
        return -np.inf, np.inf
    return low - threshold * spread, high + threshold * spread


def _sampled(table: pa.Table, column: ColumnRules, at: int) -> dict[str, Any]:
    return {
        "entity_key": table.column("entity_key")[at].as_py(),
        "event_timestamp": json_value(table.column("event_timestamp")[at].as_py()),
        "value": json_value(table.column(column.value_column)[at].as_py()),
    }

"""Statistics of one column by its type (pure: no Django)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.value_types import ValueType
from ingestion.extraction.request import json_value
from ingestion.profiles.histogram import histogram_of

TOP_VALUES = 20
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Statistics:
    """The statistical part of a profile."""

    distinct_count: int | None = None
    min_value: Any = None
    max_value: Any = None
    mean_value: float | None = None
    std_dev: float | None = None
    quantiles: dict[str, Any] = field(default_factory=dict)
    histogram: dict[str, list[Any]] = field(default_factory=dict)
    top_values: list[dict[str, Any]] = field(default_factory=list)


def statistics_of(values: pa.ChunkedArray[Any], value_type: ValueType) -> Statistics:
    """The statistics of ``values`` without its nulls; infinity counts as a value and in no other number."""
    present: Any = values.drop_null().combine_chunks()
    if not len(present):
        return Statistics(distinct_count=0)
    match value_type:
        case ValueType.FLOAT | ValueType.INTEGER:
            return _of_numbers(present)
        case ValueType.BOOLEAN:
            mean = pc.mean(present.cast(pa.float64())).as_py()
            return Statistics(distinct_count=_distinct(present), mean_value=mean, top_values=_top(present))
        case ValueType.STRING:
            return Statistics(distinct_count=_distinct(present), top_values=_top(present))
        case ValueType.TIMESTAMP:
            return _of_times(present)
        case ValueType.FLOAT_LIST:
            return Statistics()


def _of_numbers(present: Any) -> Statistics:
    finite = present.filter(pc.is_finite(present))
    numbers: npt.NDArray[np.float64] = np.asarray(finite.to_numpy(zero_copy_only=False), dtype=np.float64)
    if not len(numbers):
        return Statistics(distinct_count=_distinct(present))
    # The bounds come from the column itself: an integer above 2^53 stays exact.
    bounds: Any = pc.min_max(finite).as_py()
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(numbers.mean())
        spread = float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0
        quantiles = np.quantile(numbers, QUANTILES)
    return Statistics(
        distinct_count=_distinct(present),
        min_value=bounds["min"],
        max_value=bounds["max"],
        mean_value=json_value(mean),
        std_dev=json_value(spread),
        quantiles={str(share): json_value(float(at)) for share, at in zip(QUANTILES, quantiles, strict=True)},
        histogram=histogram_of(numbers),
    )


def _of_times(present: Any) -> Statistics:
    counts = np.asarray(present.cast(pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)
    at = np.quantile(counts, QUANTILES, method="lower")
    instants = pa.array(at, pa.int64()).cast(pa.timestamp("us", tz="UTC")).to_pylist()
    bounds: Any = pc.min_max(present).as_py()
    return Statistics(
        distinct_count=_distinct(present),
        min_value=json_value(bounds["min"]),
        max_value=json_value(bounds["max"]),
        quantiles={str(share): json_value(instant) for share, instant in zip(QUANTILES, instants, strict=True)},
    )


def _distinct(present: Any) -> int:
    count: int = pc.count_distinct(present).as_py()
    return count


def _top(present: Any) -> list[dict[str, Any]]:
    counted = [(entry["values"], entry["counts"]) for entry in pc.value_counts(present).to_pylist()]
    counted.sort(key=lambda entry: (-entry[1], str(entry[0])))
    return [{"value": value, "count": count} for value, count in counted[:TOP_VALUES]]

"""How far the values of a feature have moved from an earlier profile (pure: no Django).

The measure is the population stability index: the sum over bins of (now − before) · ln(now / before) of their
shares. Below 0.1 is usually read as stable, above 0.2 as a shift. Two samples of the same population differ by
chance too: the index is then about chi-squared distributed, scaled by 1/n + 1/m (Yurdakul, Statistical
Properties of Population Stability Index, 2018), so a shift is reported only beyond what chance gives once in a
thousand times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.declarations import Severity
from ingestion.checks.rules import ColumnRules, RuleOutcome

Shares = npt.NDArray[np.float64]

LEAST_SHARE = 0.05
FEWEST_VALUES = 30
_FLOOR = 1e-4  # of a share, so that an empty bin does not make the index infinite
_CHANCE = 3.0902  # standard normal quantile of 0.999


@dataclass(frozen=True, slots=True)
class Drift:
    """The index, how many bins it was summed over, and what chance alone would stay below."""

    index: float
    bins: int
    by_chance: float


def population_stability(before: Shares, now: Shares) -> float:
    """The index between two sets of counts over the same bins."""
    first = np.maximum(before / before.sum(), _FLOOR)
    second = np.maximum(now / now.sum(), _FLOOR)
    return float(np.sum((second - first) * np.log(second / first)))


def drift_from(
    values: pa.ChunkedArray[Any] | pa.Array[Any],
    *,
    histogram: Mapping[str, Sequence[float]] | None = None,
    top_values: Sequence[Mapping[str, Any]] = (),
    row_count: int = 0,
    null_count: int = 0,
) -> Drift | None:
    """How far ``values`` are from an earlier profile, given by its histogram or its most frequent values.

    None where there is nothing to compare, or fewer than thirty values on either side.
    """
    counts = _binned(values, histogram) if histogram and histogram.get("counts") else None
    if counts is None and top_values:
        counts = _by_value(values, top_values, row_count - null_count)
    if counts is None:
        return None
    before, now = counts
    if before.sum() < FEWEST_VALUES or now.sum() < FEWEST_VALUES:
        return None
    freedom = max(len(before) - 1, 1)
    # Wilson and Hilferty's approximation of the chi-squared quantile (1931).
    quantile = freedom * (1 - 2 / (9 * freedom) + _CHANCE * math.sqrt(2 / (9 * freedom))) ** 3
    by_chance = quantile * (1 / before.sum() + 1 / now.sum())
    return Drift(population_stability(before, now), len(before), float(by_chance))


def check_drift(
    column: ColumnRules, values: pa.ChunkedArray[Any] | pa.Array[Any], drift: Drift | None, *, threshold: float
) -> RuleOutcome | None:
    """The result of the rule ``drift``, of severity warn; None where nothing could be compared."""
    if drift is None or column.source_problem:
        return None
    passed = drift.index <= max(threshold, drift.by_chance)
    message = f"{column.name} has moved from its previous profile: stability index {drift.index:.3f}"
    return RuleOutcome(
        rule="drift",
        feature=column.name,
        value_column=column.value_column,
        severity=Severity.WARN,
        passed=passed,
        checked=len(values) - values.null_count,
        failed=0,
        message="" if passed else f"{message}, above {threshold:g}",
        measured=drift.index,
        threshold=max(threshold, drift.by_chance),
    )


def _binned(values: Any, histogram: Mapping[str, Sequence[float]]) -> tuple[Shares, Shares] | None:
    kind = values.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return None
    numbers = np.asarray(values.drop_null().to_numpy(zero_copy_only=False), dtype=np.float64)
    counts = np.asarray(histogram["counts"], dtype=np.float64)
    inner = _merged_edges(np.asarray(histogram["edges"], dtype=np.float64), counts)
    if len(inner) == 0:
        # All earlier values in one bin: what lies outside of it has moved.
        edges = np.asarray(histogram["edges"], dtype=np.float64)
        outside = float(np.sum((numbers < edges[0]) | (numbers > edges[-1])))
        return np.array([counts.sum(), 0.0]), np.array([len(numbers) - outside, outside])
    places = np.searchsorted(inner, numbers, side="right")
    edges = np.asarray(histogram["edges"], dtype=np.float64)
    before = np.bincount(
        np.searchsorted(inner, edges[:-1], side="right"), weights=counts, minlength=len(inner) + 1
    ).astype(np.float64)
    return before, np.bincount(places, minlength=len(inner) + 1).astype(np.float64)


def _merged_edges(edges: Shares, counts: Shares) -> Shares:
    """The inner edges of neighbouring bins put together until each holds a twentieth of the earlier values."""
    total, held = float(counts.sum()), 0.0
    inner: list[float] = []
    for index, count in enumerate(counts[:-1]):
        held += float(count)
        if held >= LEAST_SHARE * total and float(counts[index + 1 :].sum()) >= LEAST_SHARE * total:
            inner.append(float(edges[index + 1]))
            held = 0.0
    return np.asarray(inner, dtype=np.float64)


def _by_value(values: Any, top_values: Sequence[Mapping[str, Any]], present: int) -> tuple[Shares, Shares] | None:
    known = {entry["value"]: float(entry["count"]) for entry in top_values}
    now = {entry["values"]: float(entry["counts"]) for entry in pc.value_counts(values.drop_null()).to_pylist()}
    before = [*known.values(), max(present - sum(known.values()), 0.0)]
    after = [now.get(value, 0.0) for value in known]
    after.append(sum(now.values()) - sum(after))
    return np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)

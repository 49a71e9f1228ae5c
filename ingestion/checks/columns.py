"""Which values of a column break its rules (pure: no Django)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.value_types import NUMERIC_TYPES, ValueType
from ingestion.checks.rules import ColumnRules, number_text

_ONE: Any = 1
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Broken:
    """The rows that break one rule, of those that it was checked on."""

    rule: str
    rows: Mask
    checked: int
    message: str


def broken_rules(table: pa.Table, rules: ColumnRules, *, unreadable: Mask | None = None) -> Iterator[Broken]:
    """One answer per declared rule of ``rules``; a null is judged by ``nullable`` alone.

    ``unreadable`` marks the rows whose null stands for a value of the wrong type: they have broken that rule
    already and do not break ``nullable`` too.
    """
    if rules.source_problem:
        return
    values: Any = table.column(rules.value_column)
    present = len(values) - values.null_count
    if rules.value_type in NUMERIC_TYPES:
        if rules.min_value is not None:
            rows = _below(values, rules.min_value)
            lowest = _extreme(values, rows, rules.min_value, lowest=True)
            yield Broken("min_value", rows, present, f"{rules.name} is below {number_text(rules.min_value)}{lowest}")
        if rules.max_value is not None:
            rows = _above(values, rules.max_value)
            highest = _extreme(values, rows, rules.max_value, lowest=False)
            yield Broken("max_value", rows, present, f"{rules.name} is above {number_text(rules.max_value)}{highest}")
    if rules.value_type is ValueType.STRING:
        if rules.categories is not None:
            known = pa.array(rules.categories, pa.string())
            rows = as_mask(pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, value_set=known))))
            yield Broken("categories", rows, present, f"{rules.name} is none of {_listed(rules.categories)}")
        if rules.pattern is not None:
            message = f"{rules.name} does not match {rules.pattern}"
            yield Broken("pattern", _unlike(values, rules.pattern), present, message)
    if not rules.nullable:
        rows = as_mask(pc.is_null(values))
        if unreadable is not None:
            rows &= ~unreadable
        yield Broken("nullable", rows, len(values), f"{rules.name} has no value")
    if rules.unique:
        rows = _shared(table, rules.value_column)
        yield Broken("unique", rows, present, f"{rules.name} is the same for several entities")


def _below(values: Any, bound: float) -> Mask:
    numbers, limit = _comparable(values, bound, math.ceil)
    return as_mask(pc.less(numbers, limit))


def _above(values: Any, bound: float) -> Mask:
    numbers, limit = _comparable(values, bound, math.floor)
    return as_mask(pc.greater(numbers, limit))


def _comparable(values: Any, bound: float, rounded: Callable[[float], int]) -> tuple[Any, Any]:
    """Values and bound of one type: integers beyond 2^53 are compared as integers, where a float is too coarse."""
    if not pa.types.is_integer(values.type):
        return values, bound
    if abs(bound) < 2**62:
        return values, pa.scalar(rounded(bound), pa.int64())
    return values.cast(pa.float64(), safe=False), bound


def as_mask(found: Any) -> Mask:
    """A boolean Arrow array as a mask in which null is False."""
    filled = pc.fill_null(found, False)
    flat = filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _extreme(values: Any, rows: Mask, bound: float, *, lowest: bool) -> str:
    if not rows.any():
        return ""
    reached: Any = pc.min_max(values.filter(pa.array(rows))).as_py()["min" if lowest else "max"]
    # Three digits after the point say how far; a value that would then be the bound itself is told exactly.
    rounded = round(reached, 3) if isinstance(reached, float) and abs(reached) >= 1 else reached
    return f" ({'down' if lowest else 'up'} to {number_text(reached if rounded == bound else rounded)})"


def _listed(categories: tuple[str, ...]) -> str:
    shown = ", ".join(categories[:10])
    return shown if len(categories) <= 10 else f"{shown} and {len(categories) - 10} more"


def _unlike(values: Any, pattern: str) -> Mask:
    # Each distinct text once: Arrow's own matcher knows another dialect than the one declarations are checked in.
    compiled = re.compile(pattern)
    distinct = pc.unique(values).drop_null()
    unlike = [text for text in distinct.to_pylist() if compiled.fullmatch(text) is None]
    return as_mask(pc.is_in(values, value_set=pa.array(unlike, values.type)))


def _shared(table: pa.Table, column: str) -> Mask:
    values: Any = table.column(column)
    pairs = table.select(["entity_key", column]).rename_columns(["entity_key", "value"]).drop_null()
    owners = pairs.group_by("value").aggregate([("entity_key", "count_distinct")])
    several: Any = owners.column("entity_key_count_distinct")
    repeated = owners.column("value").filter(pc.greater(several, _ONE))
    return as_mask(pc.and_(pc.is_valid(values), pc.is_in(values, value_set=repeated.combine_chunks())))

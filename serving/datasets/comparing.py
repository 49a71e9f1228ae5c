"""Two tables of one dataset, cell by cell (pure: no Django)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from serving.wire.json_values import json_values

# Rows that are compared at a time.
_TOGETHER = 8 * 1024


@dataclass(frozen=True)
class DifferingCell:
    """``row`` counts from 0; ``was`` and ``now`` are JSON values, with NaN and infinity as text."""

    row: int
    column: str
    was: Any
    now: Any


@dataclass(frozen=True)
class Comparison:
    """How many cells differ, by column, and the first of them in the order of rows."""

    counts: dict[str, int]
    first: tuple[DifferingCell, ...]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def compare(was: pa.Table, now: pa.Table, *, columns: Sequence[str], most: int) -> Comparison:
    """The cells of ``columns`` that differ between tables of the same number of rows, ``most`` of them told.

    Null is equal to null and NaN to NaN.
    """
    counts: dict[str, int] = {}
    places: list[tuple[int, int]] = []
    for order, name in enumerate(columns):
        found: list[int] = []
        for start in range(0, was.num_rows, _TOGETHER):
            differs = _differs(was.column(name).slice(start, _TOGETHER), now.column(name).slice(start, _TOGETHER))
            rows = np.flatnonzero(differs)
            if len(rows):
                counts[name] = counts.get(name, 0) + len(rows)
                found += (start + rows[: most - len(found)]).tolist()
        places += [(row, order) for row in found]
    cells = []
    for row, order in sorted(places)[:most]:
        name = columns[order]
        before, after = (_shown(json_values(table.column(name).slice(row, 1))[0]) for table in (was, now))
        cells.append(DifferingCell(row=row, column=name, was=before, now=after))
    return Comparison(counts=counts, first=tuple(cells))


def _differs(was: pa.ChunkedArray, now: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    if not len(was):
        return np.zeros(0, dtype=np.bool_)
    if was.type != now.type or pa.types.is_nested(was.type):
        pairs = zip(was.to_pylist(), now.to_pylist(), strict=True)
        return np.array([not _same(before, after) for before, after in pairs], dtype=np.bool_)
    differs = pc.fill_null(pc.not_equal(was, now), False)
    if pa.types.is_floating(was.type):
        differs = pc.and_not(differs, pc.fill_null(pc.and_(pc.is_nan(was), pc.is_nan(now)), False))
    one_is_null = pc.xor(pc.is_null(was), pc.is_null(now))
    return np.asarray(pc.or_(differs, one_is_null).to_numpy(), dtype=np.bool_)


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return bool(before == after or (before != before and after != after))

"""How many rows of an answer differ from those of another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measured import ROW


@dataclass(frozen=True)
class Difference:
    """Of an answer beside the right one: rows with another value, rows that are not there, rows too many."""

    differing: int
    lost: int
    doubled: int

    @property
    def none(self) -> bool:
        return self == Difference(0, 0, 0)

    def __str__(self) -> str:
        if self.none:
            return "the same"
        parts = ((self.differing, "differ"), (self.lost, "lost"), (self.doubled, "too many"))
        return ", ".join(f"{count:,} {what}" for count, what in parts if count)


def compare_answers(answer: Path, right: Path) -> Difference:
    """Compare two answers by the row numbers that both carry; null equals null, and NaN counts as null."""
    return compare_tables(pq.read_table(answer), pq.read_table(right))


def compare_tables(answer: pa.Table, right: pa.Table) -> Difference:
    """As :func:`compare_answers`."""
    count = right.num_rows
    wanted = np.empty(count, dtype=np.int64)
    wanted[right.column(ROW).to_numpy()] = np.arange(count)
    rows, first = np.unique(answer.column(ROW).to_numpy(), return_index=True)
    differs = np.zeros(len(rows), dtype=bool)
    for name in right.column_names:
        if name != ROW:
            mine = answer.column(name).to_numpy()[first]
            theirs = right.column(name).to_numpy()[wanted[rows]]
            differs |= ~((mine == theirs) | (np.isnan(mine) & np.isnan(theirs)))
    return Difference(differing=int(differs.sum()), lost=count - len(rows), doubled=answer.num_rows - len(rows))

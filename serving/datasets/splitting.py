"""Parts of a dataset for training and testing, the same ones every time (pure: no Django).

Each row, or each entity with all of its rows, is placed between 0 and 1 by the first 64 bits of the SHA-256 of
``{seed}\\0{key}``, and belongs to the part whose share of that span it falls into. So an entity stays in its part
when the dataset is made again with other rows, and what a model was tested on is never trained on; the sizes of the
parts come near their fractions without meeting them exactly.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from catalog.entity_key_columns import encode_entity_keys
from catalog.errors import InvalidInput

SPLIT = "split"
_SPAN = 2**64
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class SplitRule:
    """Parts by name with their fractions, in order; ``by`` says what is kept together."""

    fractions: Mapping[str, float] = field(default_factory=lambda: {"train": 0.8, "test": 0.2})
    seed: int = 0
    by: Literal["entity", "row"] = "entity"

    def __post_init__(self) -> None:
        if not self.fractions or any(not (0 < share <= 1) for share in self.fractions.values()):
            raise InvalidInput(
                "every fraction lies above 0 and is at most 1, such as train:0.8,test:0.2",
                details={"field": "fractions"},
            )
        total = math.fsum(self.fractions.values())
        if abs(total - 1) > _TOLERANCE:
            raise InvalidInput(
                f"the fractions add up to {total:g}, not to 1", details={"field": "fractions", "sum": total}
            )


def split_dataset(table: pa.Table, *, rule: SplitRule, key_columns: Sequence[str]) -> pa.Array:
    """The name of the part of every row; ``key_columns`` hold the join keys of the entity.

    Rows without a key are placed each by its own number.

    :raises InvalidInput: when a key column is not there.
    """
    keys: list[str | None] = [None] * table.num_rows
    if rule.by == "entity":
        missing = [name for name in key_columns if name not in table.column_names]
        if missing or not key_columns:
            raise InvalidInput(f"the dataset lacks the key column {', '.join(missing)}", details={"by": rule.by})
        keys = encode_entity_keys([table.column(name) for name in key_columns]).to_pylist()
    ends = _ends(rule)
    parts: dict[str, str] = {}
    placed = []
    for row, key in enumerate(keys):
        text = f"row {row}" if key is None else f"key {key}"
        if text not in parts:
            parts[text] = _part_of(text, rule.seed, ends)
        placed.append(parts[text])
    return pa.array(placed, pa.string())


def rows_where(table: pa.Table, chosen: pa.Array) -> pa.Table:
    """The rows where ``chosen`` is true, with columns of every type."""
    columns = [_values_where(column, chosen) for column in table.columns]
    return pa.table(columns, schema=table.schema)


def _values_where(column: pa.ChunkedArray, chosen: pa.Array) -> pa.ChunkedArray:
    try:
        return column.filter(chosen)
    except pa.ArrowNotImplementedError:
        # Arrow cannot choose among views of text.
        values = [value for value, wanted in zip(column.to_pylist(), chosen.to_pylist(), strict=True) if wanted]
        return pa.chunked_array([pa.array(values, column.type)])


def _ends(rule: SplitRule) -> list[tuple[float, str]]:
    names = list(rule.fractions)
    ends = [math.fsum(list(rule.fractions.values())[: position + 1]) for position in range(len(names))]
    return [*zip(ends[:-1], names[:-1], strict=True), (math.inf, names[-1])]


def _part_of(text: str, seed: int, ends: Sequence[tuple[float, str]]) -> str:
    digest = hashlib.sha256(f"{seed}\0{text}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / _SPAN
    return next(name for end, name in ends if place < end)

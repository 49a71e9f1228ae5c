"""How the memory of one join is shared out.

A join answers a slice of the entity rows at a time. What a slice takes beside its values is known before; how wide
text and lists are shows while they are read, and then the slice is made smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from serving.point_in_time.side_by_side import PROCESSORS

# Of the memory, per entity row for its key, its time and the ranks of what was found, of which there are about 200; and
# per value found, of eight.
_BYTES_PER_ROW = 700
_BYTES_PER_VALUE = 80
_FEWEST_ROWS = 10_000
# Below these, reading takes more time than the memory is worth.
_LEAST_BATCH = 1024**2
_LEAST_VALUES = 4 * 1024**2


class TooWideError(Exception):
    """The values of a slice take more than its share of the memory."""


@dataclass(frozen=True)
class Room:
    """The shares of one group of features, in bytes: of a scan that reads whole row groups of its history, of a piece
    where these are too large for that, and of the values found in it."""

    scan: int
    batch: int
    values: int

    @classmethod
    def of(cls, memory: int, *, groups: int) -> Room:
        """The shares of each of ``groups`` that are read side by side, of ``memory`` bytes for all."""
        at_a_time = max(1, min(groups, PROCESSORS))
        return cls(
            scan=memory // (4 * at_a_time),
            batch=max(_LEAST_BATCH, memory // (24 * at_a_time)),
            values=max(_LEAST_VALUES, memory // (10 * max(groups, 1))),
        )


def rows_within(memory: int, *, columns: int) -> int:
    """How many entity rows can be answered at a time in so many bytes, when each value takes eight."""
    return max(_FEWEST_ROWS, memory // max(_BYTES_PER_ROW, columns * _BYTES_PER_VALUE))


def taken_bytes(values: pa.ChunkedArray, index: npt.NDArray[np.int64]) -> int:
    """About how many bytes the values at ``index`` take once they are copied."""
    kind = values.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        width = max(kind.value_type.bit_width // 8, 1) if pa.types.is_primitive(kind.value_type) else 64
        lengths = pc.list_value_length(values)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        width, lengths = 1, pc.binary_length(values)
    else:
        return len(index) * 8
    each = pc.fill_null(lengths, 0).to_numpy().astype(np.int64)
    return int(each[index].sum()) * width + len(index) * 8

"""From the value rows that were chosen to the columns of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.errors import InvalidInput
from serving.point_in_time.engine import NOBODY
from serving.point_in_time.history import HistoryScan
from serving.point_in_time.request import WantedColumn

# Taken in slices, a long column of text or lists stays below the 2 GiB that one Arrow array can address.
_SLICE = 1_000_000


def answer_columns(
    *, scan: HistoryScan, chosen: npt.NDArray[np.int64], wanted: Sequence[WantedColumn]
) -> list[tuple[str, pa.ChunkedArray[Any]]]:
    """One column as long as ``chosen`` per wanted column; where nobody was chosen, its default."""
    positions, index = np.unique(chosen, return_inverse=True)
    if len(positions) and positions[0] == NOBODY:
        positions, index = positions[1:], index - 1
    table = scan.rows([column.value_column for column in wanted], positions)
    # The default is kept as one more row behind the chosen ones: one take serves every type, nested too.
    index = np.where(index == NOBODY, len(positions), index)
    return [(column.output, _answer(table, column, index)) for column in wanted]


def _answer(table: pa.Table, column: WantedColumn, index: npt.NDArray[np.int64]) -> pa.ChunkedArray[Any]:
    data_type: Any = column.data_type
    try:
        stored = table.column(column.value_column).cast(data_type)
        default = pa.array([column.default], data_type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(
            f"the values of {column.value_column!r}, or its default {column.default!r}, cannot be given as "
            f"{data_type}: {error}"
        ) from error
    values: pa.ChunkedArray[Any] = pa.chunked_array([*stored.chunks, default], type=data_type)
    slices = [index[start : start + _SLICE] for start in range(0, len(index), _SLICE)]
    chunks = [chunk for part in slices for chunk in values.take(part).chunks]
    answer: pa.ChunkedArray[Any] = pa.chunked_array(chunks, type=data_type)
    return answer

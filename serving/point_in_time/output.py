"""From the value rows that were chosen to the columns of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.errors import InvalidInput
from serving.point_in_time.request import WantedColumn
from serving.point_in_time.room import TooWideError, taken_bytes
from serving.point_in_time.search import NOBODY

# Taken in slices, a long column of text or lists stays below the 2 GiB that one Arrow array can address.
_SLICE = 1_000_000


def answer_columns(
    *, values: pa.Table, chosen: npt.NDArray[np.int64], wanted: Sequence[WantedColumn], room: int | None = None
) -> list[tuple[str, pa.ChunkedArray[Any]]]:
    """One column as long as ``chosen`` per wanted column: the row of ``values`` that was chosen, or its default.

    A column that ``values`` lacks is null wherever a row was chosen.

    :raises TooWideError: when the columns would take more than ``room`` bytes together.
    """
    if room is not None:
        rows = chosen[chosen != NOBODY]
        if sum(taken_bytes(_stored(values, column.value_column), rows) for column in wanted) > room:
            raise TooWideError
    # The default is kept as one more row behind the stored ones: one take serves every type, nested too.
    index = np.where(chosen == NOBODY, values.num_rows, chosen)
    return [(column.output, _answer(values, column, index)) for column in wanted]


def _answer(table: pa.Table, column: WantedColumn, index: npt.NDArray[np.int64]) -> pa.ChunkedArray[Any]:
    data_type: Any = column.data_type
    try:
        stored = _stored(table, column.value_column).cast(data_type)
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


def _stored(table: pa.Table, name: str) -> pa.ChunkedArray[Any]:
    return table.column(name) if name in table.column_names else pa.chunked_array([pa.nulls(table.num_rows)])

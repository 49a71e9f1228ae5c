"""What is asked for, checked before anything is read: keys, times, and names of the answer's columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import InvalidInput
from serving.point_in_time import microseconds
from serving.point_in_time.eligibility import CREATED, EVENT, RUN
from serving.point_in_time.request import GroupHistory, WantedColumn

_UTC = pa.timestamp("us", "UTC")
_TIMESTAMP_COLUMNS = ((EVENT, _UTC), (CREATED, _UTC), (RUN, pa.string()))


def timestamp_columns(group: GroupHistory) -> tuple[WantedColumn, ...]:
    """What a group gives besides its values when timestamps are included."""
    return tuple(
        WantedColumn(value_column=column, output=f"{group.name}__{column}", data_type=data_type)
        for column, data_type in _TIMESTAMP_COLUMNS
    )


def check_times(entities: pa.Table, name: str, stand_in: datetime | None) -> None:
    column = _column(entities, name)
    microseconds.of_column(column.slice(0, 0), name=name)
    if stand_in is None and column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise InvalidInput(
            f"entity row {row} has no {name!r}; give it a time, or give the request a time range with an end",
            details={"row": row, "column": name},
        )


def entity_times(entities: pa.Table, name: str, stand_in: datetime | None) -> microseconds.Times:
    times, missing = microseconds.of_column(_column(entities, name), name=name)
    if stand_in is None or not missing.any():
        return times
    return np.where(missing, microseconds.of_instant(stand_in), times)


def entity_keys(entities: pa.Table, name: str) -> pa.Array[Any]:
    keys: pa.Array[Any] = _column(entities, name).cast(pa.string()).combine_chunks()
    return keys


def check_keys(entities: pa.Table, name: str) -> None:
    column = _column(entities, name)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    ):
        raise InvalidInput(f"the column {name!r} must hold entity keys as text, but its type is {kind}")


def _column(entities: pa.Table, name: str) -> pa.ChunkedArray[Any]:
    count = entities.column_names.count(name)
    if count != 1:
        problem = "lacks" if count == 0 else "has more than one of"
        raise InvalidInput(f"the entity table {problem} the column {name!r}; it has {entities.column_names}")
    return entities.column(name)


def check_names(entities: pa.Table, groups: tuple[GroupHistory, ...], *, include_timestamps: bool) -> None:
    taken = set(entities.column_names)
    for group in groups:
        outputs = [wanted.output for wanted in group.wanted]
        if include_timestamps:
            outputs += [column.output for column in timestamp_columns(group)]
        for output in outputs:
            if output in taken:
                raise InvalidInput(
                    f"the output column {output!r} of group {group.name!r} would repeat the name of another "
                    "column; rename that one",
                    details={"column": output},
                )
            taken.add(output)

"""The point-in-time join: for every entity row, the values as they were at its time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.errors import InvalidInput
from serving.point_in_time import microseconds
from serving.point_in_time.finding import find_values
from serving.point_in_time.history import CREATED, EVENT, RUN, Eligibility, HistoryScan
from serving.point_in_time.output import answer_columns
from serving.point_in_time.request import GroupHistory, KnownAt, TimeRange, WantedColumn
from serving.point_in_time.search import NOBODY, Asked

# Up to this many distinct keys, asking the files for just these beats reading all and joining.
FEW_KEYS = 10_000

# Entity rows that are answered at a time.
SLICE_ROWS = 4_000_000
# What is held per entity row: its key, its time, the ranks of what was found; and per value found.
_BYTES_PER_ROW = 200
_BYTES_PER_VALUE = 48
_FEWEST_ROWS = 10_000

_UTC = pa.timestamp("us", "UTC")
_TIMESTAMP_COLUMNS = ((EVENT, _UTC), (CREATED, _UTC), (RUN, pa.string()))


def join_point_in_time(
    *,
    entities: pa.Table,
    time_column: str,
    groups: Sequence[GroupHistory],
    time_range: TimeRange | None = None,
    known_at: KnownAt = None,
    default_time: datetime | None = None,
    include_timestamps: bool = False,
    slice_rows: int = SLICE_ROWS,
) -> pa.Table:
    """The entity table, untouched and in its order, plus one column per wanted column of every group.

    A value row with event timestamp ``e`` may answer an entity row of the same key at time ``t`` when
    ``t - max_age <= e <= t``, ``e`` lies in ``time_range`` and the row was known by ``known_at``. Of
    those, the greatest (event, created, arrival) answers, nulls being the lowest; the value it holds is
    the answer, also when null. Without any, the answer is the wanted column's default.

    An entity row without a time is taken at the end of ``time_range``, or else at ``default_time``; a null
    key is answered by nothing. With ``include_timestamps``, every group also gives
    ``{name}__event_timestamp``, ``{name}__created_timestamp`` and ``{name}__run_id`` of the row that
    answered.

    Every history is read once for each ``slice_rows`` entity rows: beside the answer itself, memory holds what
    one slice needs and one batch of a history, however large these are.

    Raises InvalidInput when a named column is missing, ambiguous or of a wrong type, when an output
    column would repeat a name, or when a time is missing and nothing stands in for it.
    """
    result = entities
    answers = pa.concat_tables(
        answer_in_slices(
            entities=entities,
            time_column=time_column,
            groups=groups,
            time_range=time_range,
            known_at=known_at,
            default_time=default_time,
            include_timestamps=include_timestamps,
            slice_rows=slice_rows,
        )
    )
    for name in answers.column_names:
        result = result.append_column(name, answers.column(name))
    return result


def answer_in_slices(
    *,
    entities: pa.Table,
    time_column: str,
    groups: Sequence[GroupHistory],
    time_range: TimeRange | None = None,
    known_at: KnownAt = None,
    default_time: datetime | None = None,
    include_timestamps: bool = False,
    slice_rows: int = SLICE_ROWS,
) -> Iterator[pa.Table]:
    """The answers of :func:`join_point_in_time` alone, for ``slice_rows`` entity rows after another.

    The request is checked at once; there is at least one slice, which may be empty.
    """
    groups = tuple(groups)
    _check_names(entities, groups, include_timestamps=include_timestamps)
    time_range = time_range or TimeRange()
    times = _entity_times(entities, time_column, time_range.end or default_time)
    keys = {name: _entity_keys(entities, name) for name in dict.fromkeys(group.key_column for group in groups)}

    def answers() -> Iterator[pa.Table]:
        for start in range(0, max(len(times), 1), slice_rows):
            asked = {
                name: Asked.of(column.slice(start, slice_rows), times[start : start + slice_rows])
                for name, column in keys.items()
            }
            columns = [
                answer
                for group in groups
                for answer in _answer_group(
                    group,
                    asked=asked[group.key_column],
                    time_range=time_range,
                    known_at=known_at,
                    include_timestamps=include_timestamps,
                )
            ]
            yield pa.table([column for _, column in columns], names=[name for name, _ in columns])

    return answers()


def rows_within(memory: int, *, columns: int) -> int:
    """How many entity rows can be answered at a time in so many bytes, beside one batch of a history."""
    return max(_FEWEST_ROWS, memory // (_BYTES_PER_ROW + columns * _BYTES_PER_VALUE))


def _answer_group(
    group: GroupHistory,
    *,
    asked: Asked,
    time_range: TimeRange,
    known_at: KnownAt,
    include_timestamps: bool,
) -> list[tuple[str, pa.ChunkedArray[Any]]]:
    max_age = None if group.max_age is None else microseconds.of_duration(group.max_age)
    wanted = group.wanted
    if include_timestamps:
        wanted += tuple(
            WantedColumn(value_column=column, output=f"{group.name}__{column}", data_type=data_type)
            for column, data_type in _TIMESTAMP_COLUMNS
        )
    found = find_values(
        scan=HistoryScan(group.history, _eligibility(asked, max_age, time_range, known_at)),
        asked=asked,
        columns=[column.value_column for column in wanted],
        known_at_event_time=known_at == "event_time",
    )
    chosen = found.chosen
    if max_age is not None:
        # The row chosen is the newest there is, so when it is too old, every other one is too.
        chosen = np.where(found.events < microseconds.earlier(asked.times, max_age), NOBODY, chosen)
    return answer_columns(values=found.values, chosen=chosen, wanted=wanted)


def _eligibility(asked: Asked, max_age: int | None, time_range: TimeRange, known_at: KnownAt) -> Eligibility:
    times = asked.times
    lower = [] if time_range.start is None else [microseconds.of_instant(time_range.start)]
    upper = [] if time_range.end is None else [microseconds.of_instant(time_range.end)]
    created = [microseconds.of_instant(known_at)] if isinstance(known_at, datetime) else []
    if len(times):
        upper.append(int(times.max()))
        if max_age is not None:
            lower.append(microseconds.clamped(int(times.min()) - max_age))
        if known_at == "event_time":
            created.append(int(times.max()))
    return Eligibility(
        earliest_event=max(lower, default=None),
        latest_event=min(upper, default=None),
        latest_created=min(created, default=None),
        created_required=known_at is not None,
        keys=asked.keys if len(asked.keys) < FEW_KEYS else None,
    )


def _entity_times(entities: pa.Table, name: str, stand_in: datetime | None) -> microseconds.Times:
    times, missing = microseconds.of_column(_column(entities, name), name=name)
    if not missing.any():
        return times
    if stand_in is None:
        row = int(np.flatnonzero(missing)[0])
        raise InvalidInput(
            f"entity row {row} has no {name!r}; give it a time, or give the request a time range with an end",
            details={"row": row, "column": name},
        )
    return np.where(missing, microseconds.of_instant(stand_in), times)


def _entity_keys(entities: pa.Table, name: str) -> pa.Array[Any]:
    column = _column(entities, name)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    ):
        raise InvalidInput(f"the column {name!r} must hold entity keys as text, but its type is {kind}")
    keys: pa.Array[Any] = column.cast(pa.string()).combine_chunks()
    return keys


def _column(entities: pa.Table, name: str) -> pa.ChunkedArray[Any]:
    count = entities.column_names.count(name)
    if count != 1:
        problem = "lacks" if count == 0 else "has more than one of"
        raise InvalidInput(f"the entity table {problem} the column {name!r}; it has {entities.column_names}")
    return entities.column(name)


def _check_names(entities: pa.Table, groups: tuple[GroupHistory, ...], *, include_timestamps: bool) -> None:
    taken = set(entities.column_names)
    for group in groups:
        outputs = [wanted.output for wanted in group.wanted]
        if include_timestamps:
            outputs += [f"{group.name}__{column}" for column, _ in _TIMESTAMP_COLUMNS]
        for output in outputs:
            if output in taken:
                raise InvalidInput(
                    f"the output column {output!r} of group {group.name!r} would repeat the name of another "
                    "column; rename that one",
                    details={"column": output},
                )
            taken.add(output)

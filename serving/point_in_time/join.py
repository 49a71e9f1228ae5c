"""The point-in-time join: for every entity row, the values as they were at its time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serving.point_in_time import microseconds
from serving.point_in_time.asking import EntityRows
from serving.point_in_time.checking import (
    check_keys,
    check_names,
    check_times,
    entity_keys,
    entity_times,
    timestamp_columns,
)
from serving.point_in_time.eligibility import Eligibility, Useful, condition_of
from serving.point_in_time.files import FileSearch, KeptFiles
from serving.point_in_time.finding import Found, find_values
from serving.point_in_time.history import HistoryScan
from serving.point_in_time.output import answer_columns
from serving.point_in_time.request import GroupHistory, History, KnownAt, KnownAtEventTime, TimeRange
from serving.point_in_time.room import Room, rows_within
from serving.point_in_time.search import NOBODY
from serving.point_in_time.side_by_side import PROCESSORS, side_by_side
from serving.point_in_time.slices import Slices

# Up to this many distinct keys, asking the files for just these beats reading all and joining.
FEW_KEYS = 10_000

# Entity rows that are answered at a time.
SLICE_ROWS = 4_000_000
# Columns of an answer by name.
Answers: TypeAlias = "list[tuple[str, pa.ChunkedArray[Any]]]"


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

    Every history is read once for each ``slice_rows`` entity rows, as many at a time as there are processors: beside
    the answer itself, memory holds what one slice needs and a batch of each of these, however large they are.

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
    memory: int | None = None,
    spill_folder: str | None = None,
) -> Iterator[pa.Table]:
    """The answers of :func:`join_point_in_time` alone, for ``slice_rows`` entity rows after another.

    With ``memory``, a slice is as many of these as can be answered in so many bytes, histories are read in pieces that
    fit, and where several slices are needed, answers wait in files of ``spill_folder`` (by default the system's
    temporary one): beside the entity rows themselves, and one slice that the caller still holds, no more is taken. The
    request is checked at once; there is at least one slice, which may be empty.

    :raises TooLarge: while it is worked out, when the values of one entity row do not fit into ``memory``.
    """
    groups = tuple(groups)
    check_names(entities, groups, include_timestamps=include_timestamps)
    time_range = time_range or TimeRange()
    stand_in = time_range.end or default_time
    check_times(entities, time_column, stand_in)
    for name in {group.key_column for group in groups}:
        check_keys(entities, name)
    room = None if memory is None else Room.of(memory, groups=len(groups))
    if memory is not None:
        slice_rows = min(slice_rows, rows_within(memory, columns=sum(len(group.wanted) for group in groups)))

    def answer(part: pa.Table) -> pa.Table:
        times = entity_times(part, time_column, stand_in)
        rows = {
            name: EntityRows(entity_keys(part, name), times)
            for name in dict.fromkeys(group.key_column for group in groups)
        }

        def answer_group(group: GroupHistory) -> Answers:
            return _answer_group(
                group,
                rows=rows[group.key_column],
                time_range=time_range,
                known_at=known_at,
                include_timestamps=include_timestamps,
                one_of_many=part.num_rows < entities.num_rows,
                threads=len(groups) < PROCESSORS,
                room=room,
            )

        columns = [column for answered in side_by_side(answer_group, groups) for column in answered]
        return pa.table([column for _, column in columns], names=[name for name, _ in columns])

    slices = Slices(answer=answer, rows=slice_rows, memory=memory)
    if memory is None:
        return slices.of(entities)
    return slices.by_key(
        entities,
        key_column=_most_used([(group.key_column, len(group.wanted)) for group in groups]),
        slice_bytes=Room.of(memory, groups=1).values,
        folder=spill_folder,
    )


def _most_used(columns: Sequence[tuple[str, int]]) -> str:
    """The column whose keys are asked for most values."""
    asked: dict[str, int] = {}
    for name, count in columns:
        asked[name] = asked.get(name, 0) + count
    return max(asked, key=asked.__getitem__)


def _answer_group(
    group: GroupHistory,
    *,
    rows: EntityRows,
    time_range: TimeRange,
    known_at: KnownAt,
    include_timestamps: bool,
    one_of_many: bool,
    threads: bool,
    room: Room | None,
) -> Answers:
    max_age = None if group.max_age is None else microseconds.of_duration(group.max_age)
    wanted = group.wanted + (timestamp_columns(group) if include_timestamps else ())
    rule = _eligibility(rows, max_age, time_range, known_at, one_of_many=one_of_many)
    found = _found(
        group.history,
        rows=rows,
        columns=[column.value_column for column in wanted],
        rule=rule,
        known_at=known_at,
        threads=threads,
        room=room,
    )
    chosen = found.chosen
    # The row chosen is the newest there is, so when it is too old, every other one is too.
    if rule.earliest_event is not None:
        chosen = np.where(found.events < rule.earliest_event, NOBODY, chosen)
    if max_age is not None:
        chosen = np.where(found.events < microseconds.earlier(rows.times, max_age), NOBODY, chosen)
    return answer_columns(values=found.values, chosen=chosen, wanted=wanted, room=None if room is None else room.values)


def _found(
    history: History,
    *,
    rows: EntityRows,
    columns: Sequence[str],
    rule: Eligibility,
    known_at: KnownAt,
    threads: bool,
    room: Room | None,
) -> Found:
    """By what is kept of the files where that says enough: what was known when, it does not."""
    if isinstance(history, KeptFiles):
        files = None if known_at is not None else history.possible(condition_of(rule, history.schema))
        if files is not None:
            search = FileSearch(files, history.schema, threads=threads, room=room)
            return search.find(rows, columns=columns, latest_event=rule.latest_event)
        history = history.dataset
    return find_values(
        scan=HistoryScan(history, rule, room=room),
        asked=rows.asked,
        columns=columns,
        known_at_event_time=_by_event_time(known_at),
        room=None if room is None else room.values,
    )


def _eligibility(
    rows: EntityRows, max_age: int | None, time_range: TimeRange, known_at: KnownAt, *, one_of_many: bool
) -> Eligibility:
    return Eligibility(
        earliest_event=None if time_range.start is None else microseconds.of_instant(time_range.start),
        latest_event=None if time_range.end is None else microseconds.of_instant(time_range.end),
        latest_created=None if (instant := _known_by(known_at)) is None else microseconds.of_instant(instant),
        created_required=known_at is not None,
        useful=_useful(rows, max_age, known_at, one_of_many=one_of_many),
    )


def _known_by(known_at: KnownAt) -> datetime | None:
    if isinstance(known_at, KnownAtEventTime):
        return known_at.by
    return known_at if isinstance(known_at, datetime) else None


def _by_event_time(known_at: KnownAt) -> bool:
    return known_at == "event_time" or isinstance(known_at, KnownAtEventTime)


def _key_range(rows: EntityRows) -> tuple[str, str] | None:
    ends = pc.min_max(rows.keys)
    return None if ends["min"].as_py() is None else (ends["min"].as_py(), ends["max"].as_py())


def _useful(rows: EntityRows, max_age: int | None, known_at: KnownAt, *, one_of_many: bool) -> Useful:
    if not len(rows.times):
        return Useful()
    latest, keys = int(rows.times.max()), rows.few_keys(FEW_KEYS)
    return Useful(
        earliest_event=None if max_age is None else microseconds.clamped(int(rows.times.min()) - max_age),
        latest_event=latest,
        latest_created=latest if _by_event_time(known_at) else None,
        keys=keys,
        key_range=_key_range(rows) if keys is None and one_of_many else None,
    )

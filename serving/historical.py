"""Historical reads: the values of entities as they were at the time of each entity row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.conf import settings

from catalog.access import Reader
from catalog.arrow_types import arrow_type
from catalog.errors import Unavailable
from catalog.models import FeatureGroup, FeatureVersion
from catalog.references import ResolvedFeature
from catalog.value_types import ValueType
from serving.clearance import ColumnMask, masks_for
from serving.documents import json_column
from serving.engine_limits import memory_limit, spill_path
from serving.entity_uses import EntityUse, entity_keys_of, entity_uses
from serving.instants import parse_instant
from serving.key_map import KeyMap
from serving.masked_columns import mask_values
from serving.point_in_time import GroupHistory, KnownAt, TimeRange, WantedColumn, answer_in_slices, rows_within
from serving.point_in_time import History as RowHistory
from serving.spilled_tables import spilled
from serving.stores.keyed_rows import MOST_KEYS, KeyedRows
from serving.stores.offline import KEY_COLUMNS, History
from serving.stores.opened import read_history, rows_of
from serving.wire.entity_frame import EntityFrame

MASKED = b"masked"
_TIME = "time"
# Rows whose keys are looked through at a time.
_LOOKED_THROUGH = 1_000_000
# What a read of a few keys takes is several times one row group.
_KEYED_SHARE = 16


@dataclass(frozen=True)
class HistoricalAnswer:
    """The entity rows as they came, one column per feature in the order asked, named by its reference.

    ``masked`` names the columns whose values are hidden; ``table_versions`` says by group name which version of
    its history answered.
    """

    frame: EntityFrame
    features: pa.Table
    masked: tuple[str, ...]
    table_versions: dict[str, int]

    def table(self) -> pa.Table:
        """Entity columns and feature columns as one table."""
        return _beside(self.frame.table(), self.features)


@dataclass(frozen=True)
class HistoricalStream:
    """An answer that is worked out while it is taken: ``slices`` are the features of one entity row after another.

    There is at least one slice; each holds as many rows as fit the configured memory.
    """

    frame: EntityFrame
    slices: Iterator[pa.Table]
    masked: tuple[str, ...]
    table_versions: dict[str, int]

    def tables(self) -> Iterator[pa.Table]:
        """Entity columns and feature columns, slice by slice."""
        entities, start = self.frame.table(), 0
        for features in self.slices:
            table = _beside(entities.slice(start, features.num_rows), features)
            start += features.num_rows
            del features
            yield table
            del table  # or it would be held while the next slice is worked out


def read_historical(
    *,
    user: Reader,
    frame: EntityFrame,
    resolved: Sequence[ResolvedFeature],
    time_range: TimeRange,
    known_at: KnownAt,
    at: datetime,
    key_map: KeyMap | None = None,
    table_versions: Mapping[str, int | None] | None = None,
    masks: Sequence[ColumnMask | None] | None = None,
) -> HistoricalAnswer:
    """The whole answer of :func:`stream_historical`."""
    stream = stream_historical(
        user=user,
        frame=frame,
        resolved=resolved,
        time_range=time_range,
        known_at=known_at,
        at=at,
        key_map=key_map,
        table_versions=table_versions,
        masks=masks,
    )
    return HistoricalAnswer(
        frame=frame,
        features=pa.concat_tables(stream.slices),
        masked=stream.masked,
        table_versions=stream.table_versions,
    )


def stream_historical(
    *,
    user: Reader,
    frame: EntityFrame,
    resolved: Sequence[ResolvedFeature],
    time_range: TimeRange,
    known_at: KnownAt,
    at: datetime,
    key_map: KeyMap | None = None,
    table_versions: Mapping[str, int | None] | None = None,
    masks: Sequence[ColumnMask | None] | None = None,
) -> HistoricalStream:
    """The point-in-time join of the entity rows with the features, as ``user`` may see them.

    The entity key is taken from the columns that ``key_map`` names, from those named as the join keys, or, where
    there is one join key and one entity, from ``entity_id``. A reference under an alias of the key map is answered
    for the entity in the alias's columns. Rows without an event timestamp are taken at the end of the time range,
    or ``at``.

    ``table_versions`` pins by group name which version of its history answers, None being none at all; without it
    the newest does. ``masks`` pins how each feature is masked; without it the present rights of ``user`` say.

    :raises Conflict: when a pinned version is no longer there.
    :raises InvalidInput: when key columns are missing, a column has the name of a feature asked for, a value
        cannot be used, or the key map names something that is not asked for.
    :raises Unavailable: when the configuration turns the offline store off.
    """
    if not settings.FEATURESTORE.serving.offline_store_enabled:
        raise Unavailable("history is not served here: serving.offline_store_enabled is false")
    memory = memory_limit()
    uses = entity_uses(resolved, key_map or KeyMap())
    spill = str(spill_path())
    asked = _asked_rows(frame, uses, resolved, at_a_time=rows_within(memory, columns=0), spill=spill)
    groups, answering = _histories(resolved, uses, asked, table_versions)
    slices = answer_in_slices(
        entities=asked,
        time_column=_TIME,
        groups=groups,
        time_range=time_range,
        known_at=known_at,
        default_time=at,
        memory=memory,
        spill_folder=spill,
    )
    hidden = masks_for(user=user, resolved=resolved) if masks is None else masks
    return HistoricalStream(
        frame=frame,
        slices=(_as_seen(answers, resolved, hidden) for answers in slices),
        masked=tuple(item.reference for item, mask in zip(resolved, hidden, strict=True) if mask is not None),
        table_versions=answering,
    )


def _asked_rows(
    frame: EntityFrame,
    uses: Sequence[EntityUse],
    resolved: Sequence[ResolvedFeature],
    *,
    at_a_time: int,
    spill: str | None,
) -> pa.Table:
    """The entity keys of each use, and the time; on disk when they are many."""
    if frame.count <= at_a_time:
        return _asked_part(frame, uses, resolved)
    schema = _asked_part(frame.part(0, 0), uses, resolved).schema
    parts = (frame.part(start, at_a_time) for start in range(0, frame.count, at_a_time))
    batches = (batch for part in parts for batch in _asked_part(part, uses, resolved).cast(schema).to_batches())
    return spilled(batches, schema, folder=spill)


def _asked_part(frame: EntityFrame, uses: Sequence[EntityUse], resolved: Sequence[ResolvedFeature]) -> pa.Table:
    keys = entity_keys_of(frame, uses, resolved)
    return pa.table([*keys.values(), frame.times()], names=[*map(_key_name, keys), _TIME])


def _beside(entities: pa.Table, features: pa.Table) -> pa.Table:
    for name in features.column_names:
        entities = entities.append_column(features.schema.field(name), features.column(name))
    return entities


def _as_seen(answers: pa.Table, resolved: Sequence[ResolvedFeature], masks: Sequence[ColumnMask | None]) -> pa.Table:
    """The features in the order asked, masked, and named by their references."""
    fields, values = [], []
    for position, (item, mask) in enumerate(zip(resolved, masks, strict=True)):
        column = answers.column(_output(position))
        if mask is not None:
            column = _masked(column, mask)
        metadata = {} if mask is None else {MASKED: mask.mask.encode()}
        fields.append(pa.field(item.reference, column.type, metadata=metadata))
        values.append(column)
    return pa.table(values, schema=pa.schema(fields))


def _histories(
    resolved: Sequence[ResolvedFeature],
    uses: Sequence[EntityUse],
    asked: pa.Table,
    pinned: Mapping[str, int | None] | None,
) -> tuple[list[GroupHistory], dict[str, int]]:
    """What is asked of each group, and of each once for every entity that it is asked for."""
    wanted: dict[tuple[int, str], list[WantedColumn]] = {}
    groups: dict[int, FeatureGroup] = {}
    for position, (item, use) in enumerate(zip(resolved, uses, strict=True)):
        group = item.version.feature.group
        groups[group.pk] = group
        wanted.setdefault((group.pk, use.name), []).append(_wanted(position, item.version))
    opened = {pk: _history(group, pinned) for pk, group in groups.items()}
    few = {use: _few_keys(asked.column(_key_name(use))) for _, use in wanted}
    histories = [
        GroupHistory(
            name=groups[pk].name,
            history=_rows_of(opened[pk], few[use]),
            wanted=tuple(columns),
            key_column=_key_name(use),
            max_age=groups[pk].max_age,
        )
        for (pk, use), columns in wanted.items()
    ]
    return histories, {groups[pk].name: history.version for pk, history in opened.items() if history is not None}


def _few_keys(column: pa.ChunkedArray) -> list[str] | None:
    """The distinct keys, or None when they are many."""
    distinct = column.slice(0, 0).unique()
    # Mostly the first rows tell already that they are many.
    start, rows = 0, 2 * MOST_KEYS
    while start < len(column):
        distinct = pa.chunked_array([distinct, column.slice(start, rows).unique()]).unique()
        if len(distinct) > MOST_KEYS:
            return None
        start, rows = start + rows, _LOOKED_THROUGH
    return distinct.drop_null().to_pylist()


def _rows_of(history: History | None, few_keys: list[str] | None) -> RowHistory:
    if history is None:
        return KEY_COLUMNS.empty_table()
    share = memory_limit() // _KEYED_SHARE
    if few_keys is None or history.row_group_bytes(enough=share) > share:
        return rows_of(history)
    return KeyedRows(history.table, few_keys, batch_bytes=share)


def _history(group: FeatureGroup, pinned: Mapping[str, int | None] | None) -> History | None:
    if pinned is None:
        return read_history(group)
    version = pinned[group.name]
    return None if version is None else read_history(group, version=version)


def _wanted(position: int, version: FeatureVersion) -> WantedColumn:
    default: Any = version.default_value
    if default is not None and version.data_type == ValueType.TIMESTAMP:
        default = parse_instant(default, name=f"the default of {version.feature.name}")
    return WantedColumn(
        value_column=version.value_column,
        output=_output(position),
        data_type=arrow_type(version.data_type),
        default=default,
    )


def _key_name(use: str) -> str:
    return f"key {use}"


def _output(position: int) -> str:
    return f"feature {position}"


def _masked(column: pa.ChunkedArray, mask: ColumnMask) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        return pa.chunked_array([_masked_values(column, mask)])
    encoded = column.combine_chunks().dictionary_encode()
    distinct = pa.chunked_array([encoded.dictionary])
    return pa.chunked_array([_masked_values(distinct, mask).take(encoded.indices)])


def _masked_values(column: pa.ChunkedArray, mask: ColumnMask) -> pa.Array:
    return mask_values(json_column(column), mask=mask.mask, data_type=mask.data_type, key=mask.key)

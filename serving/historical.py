"""Historical reads: the values of entities as they were at the time of each entity row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.conf import settings

from catalog.access import Reader
from catalog.errors import InvalidInput, Unavailable
from catalog.models import FeatureGroup, FeatureVersion
from catalog.references import ResolvedFeature
from catalog.sizes import parse_size
from catalog.value_types import ValueType, arrow_type
from serving.clearance import ColumnMask, masks_for
from serving.entity_rows import EntityShape
from serving.instants import parse_instant
from serving.masking import mask_values
from serving.online_reads import entity_shapes
from serving.online_rows import json_column
from serving.point_in_time import GroupHistory, KnownAt, TimeRange, WantedColumn, join_point_in_time
from serving.stores.offline import KEY_COLUMNS, History, open_history
from serving.wire.entity_frame import EntityFrame

ENTITY_ID = "entity_id"
MASKED = b"masked"
_TIME = "time"
# What the join holds per entity row: its key, its time, the ranks of what was found; and per value found.
_BYTES_PER_ROW = 200
_BYTES_PER_VALUE = 48
_FEWEST_ROWS = 50_000


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
        table = self.frame.table()
        for name in self.features.column_names:
            table = table.append_column(self.features.schema.field(name), self.features.column(name))
        return table


def read_historical(
    *,
    user: Reader,
    frame: EntityFrame,
    resolved: Sequence[ResolvedFeature],
    time_range: TimeRange,
    known_at: KnownAt,
    at: datetime,
    table_versions: Mapping[str, int | None] | None = None,
    masks: Sequence[ColumnMask | None] | None = None,
) -> HistoricalAnswer:
    """The point-in-time join of the entity rows with the features, as ``user`` may see them.

    The entity key is taken from the columns named as the join keys, or, where there is one join key and one
    entity, from ``entity_id``. Rows without an event timestamp are taken at the end of the time range, or ``at``.

    ``table_versions`` pins by group name which version of its history answers, None being none at all; without it
    the newest does. ``masks`` pins how each feature is masked; without it the present rights of ``user`` say.

    :raises Conflict: when a pinned version is no longer there.
    :raises InvalidInput: when key columns are missing, a column has the name of a feature asked for, or a value
        cannot be used.
    :raises Unavailable: when the configuration turns the offline store off.
    """
    if not settings.FEATURESTORE.serving.offline_store_enabled:
        raise Unavailable("history is not served here: serving.offline_store_enabled is false")
    columns = entity_keys_of(frame, resolved)
    narrow = pa.table([*columns.values(), frame.times()], names=[*map(_key_name, columns), _TIME])
    groups, answering = _histories(resolved, table_versions)
    joined = join_point_in_time(
        entities=narrow,
        time_column=_TIME,
        groups=groups,
        time_range=time_range,
        known_at=known_at,
        default_time=at,
        slice_rows=_slice_rows(len(resolved)),
    )
    if masks is None:
        masks = masks_for(user=user, resolved=resolved)
    fields, values = [], []
    for position, (item, mask) in enumerate(zip(resolved, masks, strict=True)):
        column = joined.column(_output(position))
        if mask is not None:
            column = _masked(column, mask)
        metadata = {} if mask is None else {MASKED: mask.mask.encode()}
        fields.append(pa.field(item.reference, column.type, metadata=metadata))
        values.append(column)
    return HistoricalAnswer(
        frame=frame,
        features=pa.table(values, schema=pa.schema(fields)),
        masked=tuple(item.reference for item, mask in zip(resolved, masks, strict=True) if mask is not None),
        table_versions=answering,
    )


def entity_keys_of(frame: EntityFrame, resolved: Sequence[ResolvedFeature]) -> dict[str, pa.Array]:
    """By entity name the entity key of every row.

    :raises InvalidInput: when key columns are missing, a key cannot be used, or a column has the name of a feature.
    """
    _refuse_taken_names(frame, resolved)
    shapes = entity_shapes(resolved)
    return {shape.name: frame.keys(key_columns(frame, shape, alone=len(shapes) == 1)) for shape in shapes}


def _refuse_taken_names(frame: EntityFrame, resolved: Sequence[ResolvedFeature]) -> None:
    taken = sorted({item.reference for item in resolved} & set(frame.columns))
    if taken:
        raise InvalidInput(
            f"entity_df already has the column {', '.join(taken)}, which is asked for as a feature; rename the column "
            "or leave it out",
            details={"columns": taken},
        )


def key_columns(frame: EntityFrame, shape: EntityShape, *, alone: bool) -> Sequence[str]:
    """The columns that hold the join keys of an entity; ``alone`` when the features belong to no other one.

    :raises InvalidInput: when they are not there.
    """
    missing = [name for name in shape.join_keys if name not in frame.columns]
    if not missing or not frame.columns:
        return shape.join_keys
    if alone and len(shape.join_keys) == 1:
        if ENTITY_ID in frame.columns:
            return (ENTITY_ID,)
        raise InvalidInput(
            f"entity_df has neither {ENTITY_ID} nor {shape.join_keys[0]}; it has {', '.join(frame.columns)}",
            details={"join_keys": shape.join_keys},
        )
    raise InvalidInput(
        f"entity_df lacks {', '.join(missing)}, a join key of {shape.name}; entity_id alone cannot stand for "
        "several join keys",
        details={"join_keys": shape.join_keys, "missing": missing},
    )


def _histories(
    resolved: Sequence[ResolvedFeature], pinned: Mapping[str, int | None] | None
) -> tuple[list[GroupHistory], dict[str, int]]:
    wanted: dict[int, list[WantedColumn]] = {}
    groups: dict[int, FeatureGroup] = {}
    for position, item in enumerate(resolved):
        group = item.version.feature.group
        groups[group.pk] = group
        wanted.setdefault(group.pk, []).append(_wanted(position, item.version))
    histories, versions = [], {}
    for pk, group in groups.items():
        history = _history(group, pinned)
        if history is not None:
            versions[group.name] = history.version
        histories.append(
            GroupHistory(
                name=group.name,
                history=KEY_COLUMNS.empty_table() if history is None else history.dataset,
                wanted=tuple(wanted[pk]),
                key_column=_key_name(_entity_names(resolved)[pk]),
                max_age=group.max_age,
            )
        )
    return histories, versions


def _history(group: FeatureGroup, pinned: Mapping[str, int | None] | None) -> History | None:
    if pinned is None:
        return open_history(group)
    version = pinned[group.name]
    return None if version is None else open_history(group, version=version)


def _entity_names(resolved: Sequence[ResolvedFeature]) -> dict[int, str]:
    return {item.version.feature.group_id: item.version.feature.entity.name for item in resolved}


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


def _key_name(entity: str) -> str:
    return f"key {entity}"


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


def _slice_rows(columns: int) -> int:
    """How many entity rows fit the configured memory at a time, beside one batch of a history."""
    limit = parse_size(settings.FEATURESTORE.feature_store.history_memory_limit)
    return max(_FEWEST_ROWS, limit // (_BYTES_PER_ROW + columns * _BYTES_PER_VALUE))

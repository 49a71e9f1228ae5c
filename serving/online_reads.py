"""Online reads: the newest values of entities, under the point-in-time rules with the present as the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings

from catalog.access import Reader
from catalog.errors import TooLarge, Unavailable
from catalog.references import ResolvedFeature
from serving.clearance import ColumnMask, masks_for
from serving.entity_rows import EntityRow, EntityShape
from serving.models.fields import UNKNOWN_US, to_microseconds
from serving.stores.online import OnlineRow, online_store

MAX_VALUES = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


class ValueStatus(StrEnum):
    """Why a value is what it is."""

    PRESENT = "PRESENT"
    NULL_VALUE = "NULL_VALUE"
    NOT_FOUND = "NOT_FOUND"
    OUTSIDE_MAX_AGE = "OUTSIDE_MAX_AGE"
    MASKED = "MASKED"


class OnlineValue(NamedTuple):
    """One value as JSON has it, and the times of its row in microseconds since 1970 UTC where there is one."""

    value: Any
    status: ValueStatus
    event_us: int | None
    created_us: int | None


@dataclass(frozen=True, slots=True)
class EntityAnswer:
    """The values of one asked entity, in the order of the features."""

    entity: EntityRow
    values: tuple[OnlineValue, ...]


@dataclass(frozen=True)
class OnlineAnswer:
    """One answer per entity row, in their order."""

    features: tuple[ResolvedFeature, ...]
    entities: tuple[EntityAnswer, ...]


class _Column(NamedTuple):
    """What is wanted of a row: resolved once for all entities."""

    group_id: int
    entity: str
    value_column: str
    max_age_us: int | None
    default: Any
    mask: ColumnMask | None


def entity_shapes(resolved: Sequence[ResolvedFeature]) -> tuple[EntityShape, ...]:
    """The entities that the features belong to, each once."""
    entities = {item.version.feature.entity_id: item.version.feature.entity for item in resolved}
    return tuple(EntityShape(name=entity.name, join_keys=tuple(entity.join_keys)) for entity in entities.values())


def read_online(
    *, user: Reader, entity_rows: Sequence[EntityRow], resolved: Sequence[ResolvedFeature], at: datetime
) -> OnlineAnswer:
    """The values of every entity row at the instant ``at``, as ``user`` may see them.

    A value counts when its event timestamp is not after ``at`` and not older than the group's max age. Where
    none counts, the version's default stands in and the status says so. All groups and entities are read at
    once.

    :raises TooLarge: on more than :data:`MAX_VALUES` values.
    :raises Unavailable: when the configuration turns the online store off.
    """
    if not settings.FEATURESTORE.serving.online_store_enabled:
        raise Unavailable("online values are not served here: serving.online_store_enabled is false")
    if len(entity_rows) * len(resolved) > MAX_VALUES:
        raise TooLarge(
            f"{len(entity_rows)} entities × {len(resolved)} features are more than the {MAX_VALUES} values that one "
            "request takes; split it, or use features/historical, which takes Arrow and Parquet",
            details={"entities": len(entity_rows), "features": len(resolved), "limit": MAX_VALUES},
        )
    masks = masks_for(user=user, resolved=resolved)
    columns = [_column(item, mask) for item, mask in zip(resolved, masks, strict=True)]
    groups = {column.group_id: column.entity for column in columns}
    stored = online_store().read(
        {group_id: [row.keys[entity] for row in entity_rows] for group_id, entity in groups.items()}
    )
    at_us = to_microseconds(at)
    return OnlineAnswer(
        features=tuple(resolved),
        entities=tuple(
            EntityAnswer(
                entity=row,
                values=tuple(
                    _answer(column, stored.get((column.group_id, row.keys[column.entity])), at_us) for column in columns
                ),
            )
            for row in entity_rows
        ),
    )


def _column(item: ResolvedFeature, mask: ColumnMask | None) -> _Column:
    version = item.version
    group = version.feature.group
    return _Column(
        group_id=group.pk,
        entity=version.feature.entity.name,
        value_column=version.value_column,
        max_age_us=None if group.max_age is None else group.max_age // _MICROSECOND,
        default=version.default_value,
        mask=mask,
    )


def _answer(column: _Column, row: OnlineRow | None, at_us: int) -> OnlineValue:
    # A row whose event is still to come cannot answer now, as in a join with this time.
    if row is None or row.event_us > at_us:
        return OnlineValue(_stand_in(column), ValueStatus.NOT_FOUND, None, None)
    created_us = None if row.created_us == UNKNOWN_US else row.created_us
    if column.max_age_us is not None and at_us - row.event_us > column.max_age_us:
        return OnlineValue(_stand_in(column), ValueStatus.OUTSIDE_MAX_AGE, row.event_us, created_us)
    value = row.values.get(column.value_column)
    if column.mask is not None:
        # One status for all: what else of a null shows is for its mask to say (serving.masking).
        return OnlineValue(column.mask.of(value), ValueStatus.MASKED, row.event_us, created_us)
    status = ValueStatus.NULL_VALUE if value is None else ValueStatus.PRESENT
    return OnlineValue(value, status, row.event_us, created_us)


def _stand_in(column: _Column) -> Any:
    return column.default if column.mask is None else column.mask.of(column.default)

"""Online reads: the newest values of entities, under the point-in-time rules with the present as the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings

from catalog.errors import TooLarge, Unavailable
from serving.entity_rows import EntityRow
from serving.models.fields import UNKNOWN_US, to_microseconds
from serving.online_plan import GroupPlan, OnlinePlan
from serving.stores.online import OnlineRow, Rows, online_store

MAX_VALUES = 1_000_000
# Whoever writes rows past the store gives their group no other revision.
LONGEST_US = 60 * 1_000_000


class ValueStatus(StrEnum):
    """Why a value is what it is."""

    PRESENT = "PRESENT"
    NULL_VALUE = "NULL_VALUE"
    NOT_FOUND = "NOT_FOUND"
    OUTSIDE_MAX_AGE = "OUTSIDE_MAX_AGE"
    MASKED = "MASKED"


class FoundRow(NamedTuple):
    """Whether the row of one group counts for one entity, and its times in microseconds since 1970 UTC if there is one.

    ``status`` is PRESENT when it counts, whatever its values are.
    """

    status: ValueStatus
    event_us: int | None
    created_us: int | None


_NOT_FOUND = FoundRow(ValueStatus.NOT_FOUND, None, None)


class OnlineValue(NamedTuple):
    """One value, why it is what it is, and the times of its row."""

    value: Any
    status: ValueStatus
    event_us: int | None
    created_us: int | None


class EntityAnswer(NamedTuple):
    """The values of one asked entity as JSON has them, in the order of the features; and a row per group.

    It may be kept for others who ask, so nobody changes it.
    """

    entity: EntityRow
    values: Sequence[Any]
    rows: Sequence[FoundRow]

    def told(self, plan: OnlinePlan) -> Iterator[OnlineValue]:
        """The values with their status and times, in the order of the features."""
        for value, place in zip(self.values, plan.places, strict=True):
            row = self.rows[place.group]
            status = row.status
            if status is ValueStatus.PRESENT:
                # One status for all that is masked: what else of a null shows is for its mask to say.
                status = ValueStatus.MASKED if place.masked else ValueStatus.NULL_VALUE if value is None else status
            yield OnlineValue(value, status, row.event_us, row.created_us)


class OnlineAnswer(NamedTuple):
    """One answer per entity row, in their order."""

    plan: OnlinePlan
    entities: list[EntityAnswer]


def read_online(*, plan: OnlinePlan, entity_rows: Sequence[EntityRow], at: datetime) -> OnlineAnswer:
    """The values of every entity row at the instant ``at``, as the reader whom the plan was made for may see them.

    A value counts when its event timestamp is not after ``at`` and not older than the group's max age. Where
    none counts, the version's default stands in and the status says so. All groups and entities are read at
    once.

    :raises TooLarge: on more than :data:`MAX_VALUES` values.
    :raises Unavailable: when the configuration turns the online store off.
    """
    refuse_too_much(plan, len(entity_rows))
    stored = online_store().read(
        {group.group_id: [row.keys[group.entity] for row in entity_rows] for group in plan.groups}
    )
    at_us = to_microseconds(at)
    return OnlineAnswer(plan, [answer_from(stored, plan=plan, entity=row, at_us=at_us) for row in entity_rows])


def refuse_too_much(plan: OnlinePlan, entities: int) -> None:
    """Say so where a read of so many entities is not answered.

    :raises TooLarge: on more than :data:`MAX_VALUES` values.
    :raises Unavailable: when the configuration turns the online store off.
    """
    if not settings.FEATURESTORE.serving.online_store_enabled:
        raise Unavailable("online values are not served here: serving.online_store_enabled is false")
    if entities * len(plan.features) > MAX_VALUES:
        raise TooLarge(
            f"{entities} entities × {len(plan.features)} features are more than the {MAX_VALUES} values that "
            "one request takes; split it, or use features/historical, which takes Arrow and Parquet",
            details={"entities": entities, "features": len(plan.features), "limit": MAX_VALUES},
        )


def answer_from(stored: Rows, *, plan: OnlinePlan, entity: EntityRow, at_us: int) -> EntityAnswer:
    """The values of one entity at that instant, from the rows of all groups and entities."""
    values: list[Any] = []
    rows = []
    for group in plan.groups:
        row = stored.get((group.group_id, entity.keys[group.entity]))
        found = _judged(row, group, at_us)
        rows.append(found)
        if row is not None and found.status is ValueStatus.PRESENT:
            values += group.values_in(row.values)
        else:
            values += group.stand_ins
    return EntityAnswer(entity, plan.as_asked(values), rows)


def _judged(row: OnlineRow | None, group: GroupPlan, at_us: int) -> FoundRow:
    # A row whose event is still to come cannot answer now, as in a join with this time.
    if row is None or row.event_us > at_us:
        return _NOT_FOUND
    created_us = None if row.created_us == UNKNOWN_US else row.created_us
    too_old = group.max_age_us is not None and at_us - row.event_us > group.max_age_us
    status = ValueStatus.OUTSIDE_MAX_AGE if too_old else ValueStatus.PRESENT
    return FoundRow(status, row.event_us, created_us)


def span_of(stored: Rows, *, plan: OnlinePlan, entity: EntityRow, at_us: int) -> tuple[int, int]:
    """The first and the last instant around ``at_us`` at which the same rows count for the entity in the same way."""
    since, until = at_us - LONGEST_US, at_us + LONGEST_US
    for group in plan.groups:
        row = stored.get((group.group_id, entity.keys[group.entity]))
        if row is None:
            continue
        last = None if group.max_age_us is None else row.event_us + group.max_age_us
        if row.event_us > at_us:
            until = min(until, row.event_us - 1)
        elif last is None or at_us <= last:
            since, until = max(since, row.event_us), until if last is None else min(until, last)
        else:
            since = max(since, last + 1)
    return since, until

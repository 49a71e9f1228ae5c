"""Which value rows may answer at all, and how a reader of files is told."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from serving.point_in_time import microseconds

ENTITY_KEY = "entity_key"
EVENT = "event_timestamp"
CREATED = "created_timestamp"
RUN = "run_id"
ARRIVAL = "arrival"

# Statistics of Delta files are cut to milliseconds, so a filter that is meant to skip files is widened by
# one; the exact bound is applied to the rows that come back.
_STATISTICS_SLACK = 1_000


@dataclass(frozen=True)
class Useful:
    """Events and created timestamps that can answer somebody, in microseconds, and the keys asked for or their ends."""

    earliest_event: int | None = None
    latest_event: int | None = None
    latest_created: int | None = None
    keys: pa.Array[Any] | None = None
    key_range: tuple[str, str] | None = None


@dataclass(frozen=True)
class Eligibility:
    """Which value rows may count at all; bounds in microseconds, both ends included, None is open.

    ``useful`` says which rows can answer anybody; it only saves reading, and rows beyond it may come too.
    """

    earliest_event: int | None = None
    latest_event: int | None = None
    latest_created: int | None = None
    created_required: bool = False
    useful: Useful = Useful()


def condition_of(rule: Eligibility, schema: pa.Schema) -> ds.Expression | None:
    """What every row that may answer fulfils, as far as statistics of files can tell; None is anything."""
    useful = rule.useful
    event = pc.field(EVENT)
    conditions: list[Any] = []
    for earliest in (rule.earliest_event, useful.earliest_event):
        if earliest is not None:
            conditions.append(event >= _instant(schema, EVENT, earliest - _STATISTICS_SLACK))
    for latest in (rule.latest_event, useful.latest_event):
        if latest is not None:
            conditions.append(event <= _instant(schema, EVENT, latest + _STATISTICS_SLACK))
    for latest in (rule.latest_created, useful.latest_created):
        if latest is not None and CREATED in schema.names:
            conditions.append(pc.field(CREATED) <= _instant(schema, CREATED, latest + _STATISTICS_SLACK))
    if useful.keys is not None:
        conditions.append(pc.field(ENTITY_KEY).isin(useful.keys.cast(_plain_text(schema.field(ENTITY_KEY).type))))
    elif useful.key_range is not None:
        conditions += [pc.field(ENTITY_KEY) >= useful.key_range[0], pc.field(ENTITY_KEY) <= useful.key_range[1]]
    return functools.reduce(operator.and_, conditions) if conditions else None


def _instant(schema: pa.Schema, column: str, value: int) -> Any:
    return pa.scalar(microseconds.clamped(value), schema.field(column).type)


def _plain_text(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind

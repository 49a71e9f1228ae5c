"""Reading the history of one entity to explain the value of one feature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from catalog.access import Reader
from catalog.arrow_types import arrow_type
from catalog.errors import Unavailable
from catalog.references import ResolvedFeature
from catalog.wording import gettext as _
from serving.clearance import ColumnMask, masks_for
from serving.documents import json_column
from serving.entity_rows import EntityRow
from serving.explanation import Beaten, Candidate, Explanation, Rule, explain
from serving.models.fields import to_microseconds
from serving.online_reads import ValueStatus
from serving.point_in_time.eligibility import ARRIVAL, CREATED, ENTITY_KEY, EVENT, RUN
from serving.stores.offline import open_history

_MICROSECOND = timedelta(microseconds=1)
_COLUMNS = (EVENT, CREATED, ARRIVAL, RUN)


@dataclass(frozen=True)
class ExplainedValue:
    """What a reader is told of one value of one entity at one instant.

    ``table_version`` is that of the history that was read, None where nothing was ever ingested; ``masked`` says
    that values are shown as the reader's rights allow.
    """

    feature: ResolvedFeature
    entity: EntityRow
    at: datetime
    known_at: datetime | None
    value: Any
    status: ValueStatus
    masked: bool
    table_version: int | None
    explanation: Explanation


def explain_value(
    *, user: Reader, feature: ResolvedFeature, entity: EntityRow, at: datetime, known_at: datetime | None = None
) -> ExplainedValue:
    """Why the entity has the value of ``feature`` at ``at`` that it has, as ``user`` may see it.

    :raises Unavailable: when the configuration turns the offline store off.
    """
    if not settings.FEATURESTORE.serving.offline_store_enabled:
        raise Unavailable(_("history is not served here: serving.offline_store_enabled is false"))
    version = feature.version
    group = version.feature.group
    history = open_history(group)
    candidates: list[Candidate] = []
    if history is not None:
        key = entity.keys[version.feature.entity.name]
        candidates = _candidates(history.dataset, key, column=version.value_column, data_type=version.data_type)
    found = explain(
        candidates,
        at=to_microseconds(at),
        max_age=None if group.max_age is None else group.max_age // _MICROSECOND,
        known_at=None if known_at is None else to_microseconds(known_at),
    )
    [mask] = masks_for(user=user, resolved=[feature])
    value = version.default_value if found.winner is None else found.winner.value
    return ExplainedValue(
        feature=feature,
        entity=entity,
        at=at,
        known_at=known_at,
        value=value if mask is None else mask.of(value),
        status=_status(found, masked=mask is not None),
        masked=mask is not None,
        table_version=None if history is None else history.version,
        explanation=found if mask is None else _masked(found, mask),
    )


def _candidates(dataset: Any, key: str, *, column: str, data_type: str) -> list[Candidate]:
    stored = set(dataset.schema.names)
    names = [name for name in (*_COLUMNS, column) if name in stored]
    rows = dataset.to_table(columns=names, filter=pc.field(ENTITY_KEY) == key)
    absent = pa.chunked_array([pa.nulls(rows.num_rows)])
    parts = {name: rows.column(name) if name in stored else absent for name in (*_COLUMNS, column)}
    values = json_column(parts[column].cast(arrow_type(data_type)))
    whole = zip(
        *(parts[name].cast(pa.int64()).to_pylist() for name in (EVENT, CREATED, ARRIVAL)),
        parts[RUN].to_pylist(),
        values,
        strict=True,
    )
    return [
        Candidate(event=event, created=created, arrival=arrival, run_id=run or "", value=value)
        for event, created, arrival, run, value in whole
        if event is not None
    ]


def _status(found: Explanation, *, masked: bool) -> ValueStatus:
    if found.winner is None:
        too_old = any(one.rule is Rule.TOO_OLD for one in found.beaten)
        return ValueStatus.OUTSIDE_MAX_AGE if too_old else ValueStatus.NOT_FOUND
    if masked:
        return ValueStatus.MASKED
    return ValueStatus.NULL_VALUE if found.winner.value is None else ValueStatus.PRESENT


def _masked(found: Explanation, mask: ColumnMask) -> Explanation:
    def hidden(row: Candidate) -> Candidate:
        return Candidate(row.event, row.created, row.arrival, row.run_id, mask.of(row.value))

    # Whether two hidden values are the same is hidden too.
    return Explanation(
        winner=None if found.winner is None else hidden(found.winner),
        beaten=tuple(
            Beaten(hidden(one.candidate), Rule.EARLIER_ARRIVAL if one.rule is Rule.DUPLICATE else one.rule)
            for one in found.beaten
        ),
    )

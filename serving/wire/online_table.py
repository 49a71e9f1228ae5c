"""The answer of an online batch as an Arrow table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from catalog.arrow_types import arrow_type
from serving.masked_columns import masked_type
from serving.online_reads import OnlineAnswer, OnlineValue
from serving.wire.outgoing import arrow_stream

_INSTANT = pa.timestamp("us", tz="UTC")


def online_arrow(answer: OnlineAnswer, *, include_metadata: bool) -> bytes:
    """An Arrow IPC stream: the entity id or the join keys, then a column per feature, of the feature's type.

    With metadata every feature is followed by ``{reference}__status`` and ``{reference}__event_timestamp``.
    """
    columns = _entity_columns([entity.entity.shown for entity in answer.entities])
    told = [list(entity.told(answer.plan)) for entity in answer.entities] if include_metadata else None
    for position, item in enumerate(answer.plan.features):
        values = [entity.values[position] for entity in answer.entities]
        columns[item.reference] = _column(values, _type_of(answer, position))
        if told is not None:
            columns |= _metadata(item.reference, [row[position] for row in told])
    return b"".join(arrow_stream([pa.table(columns)]))


def _entity_columns(shown: Sequence[Any]) -> dict[str, pa.Array]:
    if shown and isinstance(shown[0], Mapping):
        return {name: _keys([row[name] for row in shown]) for name in shown[0]}
    return {"entity_id": _keys(shown)}


def _keys(values: Sequence[Any]) -> pa.Array:
    """As they came; keys that came as numbers and as texts, or as numbers too large for Arrow, are all texts."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([str(value) for value in values])


def _type_of(answer: OnlineAnswer, position: int) -> pa.DataType:
    version = answer.plan.features[position].version
    mask = answer.plan.masks[position]
    return arrow_type(version.data_type) if mask is None else masked_type(mask=mask.mask, data_type=mask.data_type)


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        naive = [None if text is None else text.removesuffix("Z") for text in values]
        return pa.array(naive, pa.string()).cast(pa.timestamp("us")).cast(kind)
    return pa.array(values, kind)


def _metadata(reference: str, values: Sequence[OnlineValue]) -> dict[str, pa.Array]:
    return {
        f"{reference}__status": pa.array([value.status.value for value in values], pa.string()),
        f"{reference}__event_timestamp": pa.array([value.event_us for value in values], pa.int64()).cast(_INSTANT),
    }

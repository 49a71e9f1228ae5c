"""The answer of an online read as the feature server of Feast writes it: a column per join key and per feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from sys import getsizeof
from typing import Any, NamedTuple

from serving.instants import iso_text
from serving.kept_answers import memory_of
from serving.kept_reads import Form
from serving.online_plan import OnlinePlan
from serving.online_reads import EntityAnswer, ValueStatus

# What Feast says of a value that has no time.
_NEVER = "1970-01-01T00:00:00Z"
_PRESENT, _NULL_VALUE = ValueStatus.PRESENT.value, ValueStatus.NULL_VALUE.value


class FeastRow(NamedTuple):
    """What is said about one entity: value and status per feature, and per group the time of its row."""

    values: Sequence[Any]
    statuses: Sequence[str]
    stamps: Sequence[str]


def _row(plan: OnlinePlan, entity: EntityAnswer) -> FeastRow:
    values = list(entity.values)
    for position in plan.times:
        if values[position] is not None:
            values[position] = _seconds(values[position])
    by_group = [row.status.value for row in entity.rows]
    told = [by_group[place.group] for place in plan.places]
    statuses = [
        _NULL_VALUE if value is None and status == _PRESENT else status
        for value, status in zip(values, told, strict=True)
    ]
    stamps = [_NEVER if row.event_us is None else iso_text(row.event_us) for row in entity.rows]
    return FeastRow(values, statuses, stamps)


def _size(row: FeastRow) -> int:
    return memory_of(row.values) + getsizeof(row.statuses) + memory_of(row.stamps)


FEAST_ROWS = Form("rows for Feast", _row, _size)


def feast_answer(
    rows: Sequence[FeastRow],
    *,
    plan: OnlinePlan,
    keys: Mapping[str, list[Any]],
    names: Sequence[str],
    with_groups: bool,
) -> dict[str, Any]:
    """The body of the answer: ``results`` has the columns in the order of ``metadata.feature_names``.

    Feast knows no status for a masked value: it is PRESENT, and ``metadata.masked`` names the column.
    """
    count = len(rows)
    results: list[dict[str, Any]] = [
        {"values": values, "statuses": [_PRESENT] * count, "event_timestamps": [_NEVER] * count}
        for values in keys.values()
    ]
    columns = zip(*(row.values for row in rows), strict=True)
    statuses = zip(*(row.statuses for row in rows), strict=True)
    stamps = list(zip(*(row.stamps for row in rows), strict=True))
    results += [
        {"values": column, "statuses": told, "event_timestamps": stamps[place.group]}
        for column, told, place in zip(columns, statuses, plan.places, strict=True)
    ]
    metadata: dict[str, Any] = {"feature_names": [*keys, *names]}
    masked = [name for name, place in zip(names, plan.places, strict=True) if place.masked]
    if masked:
        metadata["masked"] = masked
    if with_groups:
        groups = dict.fromkeys(item.version.feature.group.name for item in plan.features)
        metadata["feature_view_metadata"] = [{"name": name} for name in groups]
    return {"results": results, "metadata": metadata}


def _seconds(text: str) -> int:
    """Whole seconds since 1970 UTC, as Feast sends times."""
    return int(datetime.fromisoformat(text).timestamp() // 1)

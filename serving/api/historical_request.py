"""What a historical read is asked for, from a JSON body or from a table and query parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from catalog.errors import InvalidInput
from serving.instants import parse_instant
from serving.key_map import KeyMap
from serving.point_in_time import KnownAt, TimeRange
from serving.wire.arrow_rows import ArrowRows
from serving.wire.entity_frame import EntityFrame
from serving.wire.json_rows import JsonRows

_BODY_FIELDS = ("entity_df", "features", "service", "timestamp_range", "as_known_at", "key_map")
_PARAMETERS = ("features", "service", "start", "end", "as_known_at", "key_map")


@dataclass(frozen=True)
class HistoricalRequest:
    """Entity rows and what to join to them; exactly one of ``features`` and ``service`` should be given."""

    frame: EntityFrame
    features: object
    service: object
    time_range: TimeRange
    known_at: KnownAt
    key_map: KeyMap


def from_json(body: Mapping[str, object]) -> HistoricalRequest:
    """The request of a JSON body.

    :raises InvalidInput: naming the field that is unknown, missing or malformed.
    """
    _refuse_unknown(body, _BODY_FIELDS, "a field of this request")
    if "entity_df" not in body:
        raise InvalidInput("entity_df is missing: the list of entity rows", details={"field": "entity_df"})
    time_range = body.get("timestamp_range")
    if time_range is None:
        time_range = {}
    if not isinstance(time_range, Mapping):
        raise InvalidInput(
            'timestamp_range is an object, such as {"start": "2025-01-01", "end": "2025-01-31"}',
            details={"field": "timestamp_range"},
        )
    _refuse_unknown(time_range, ("start", "end"), "an end of timestamp_range")
    return HistoricalRequest(
        frame=JsonRows(body["entity_df"]),
        features=body.get("features"),
        service=body.get("service"),
        time_range=_time_range(time_range, prefix="timestamp_range."),
        known_at=_known_at(body.get("as_known_at")),
        key_map=KeyMap.of(body.get("key_map")),
    )


def from_table(table: pa.Table, parameters: Mapping[str, Sequence[str]]) -> HistoricalRequest:
    """The request of an Arrow or Parquet body with its query parameters.

    :raises InvalidInput: naming the parameter that is unknown, repeated or malformed.
    """
    _refuse_unknown(parameters, _PARAMETERS, "a parameter of this request")
    features = [name for text in parameters.get("features", ()) for name in text.split(",") if name]
    single = {name: _once(name, parameters[name]) for name in _PARAMETERS[1:] if name in parameters}
    return HistoricalRequest(
        frame=ArrowRows(table),
        features=features or None,
        service=single.get("service"),
        time_range=_time_range(single, prefix=""),
        known_at=_known_at(single.get("as_known_at")),
        key_map=KeyMap.of_text(single.get("key_map")),
    )


def _refuse_unknown(given: Mapping[str, object], known: Sequence[str], what: str) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InvalidInput(
            f"{', '.join(unknown)} is not {what}; there are {', '.join(known)}", details={"fields": unknown}
        )


def _once(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        raise InvalidInput(f"{name} is given twice", details={"field": name})
    return values[0]


def _time_range(ends: Mapping[str, object], *, prefix: str) -> TimeRange:
    start, end = ends.get("start"), ends.get("end")
    return TimeRange(
        start=None if start is None else parse_instant(start, name=f"{prefix}start", bound="start"),
        end=None if end is None else parse_instant(end, name=f"{prefix}end", bound="end"),
    )


def _known_at(value: object) -> KnownAt:
    if value is None:
        return None
    if value == "event_time":
        return "event_time"
    return parse_instant(value, name="as_known_at", bound="end")

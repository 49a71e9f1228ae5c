"""Source timestamps → UTC microseconds (pure: no Django).

Accepted: ISO 8601 text with or without a zone, ``YYYY-MM-DD HH:MM:SS``, dates (their first instant), date and
timestamp columns, and numbers that are plausible Unix seconds (1990 to 2100). Milliseconds and other numbers
are refused, because reading them as seconds would be silently wrong by a factor of a thousand.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.extraction.request import shown

UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND = 631_152_000  # 1990-01-01
_LAST_SECOND = 4_102_444_800  # 2100-01-01
_LOWEST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_HIGHEST = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
# Text forms of a day or a time of day alone that fromisoformat takes and nobody means as a timestamp.
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:?\d\d(:?\d\d([.,]\d+)?)?)?\s*(Z|[+-]\d\d(:?\d\d)?)?)?", re.IGNORECASE)


def zone_of(name: str | None) -> tzinfo | None:
    """The zone called ``name``; None for no name."""
    if not name:
        return None
    return UTC if name == "UTC" else ZoneInfo(name)


def read_instant(value: object, zone: tzinfo | None) -> datetime | None:
    """The instant that ``value`` means, aware and in UTC; None for None.

    A time without a zone is taken in ``zone``; one that a clock change makes ambiguous is the earlier.

    :raises ValueError: when it is no timestamp, carries no zone and ``zone`` is None, or is out of range.
    """
    match value:
        case None:
            return None
        case str():
            return _of_text(value, zone)
        case bool():
            pass
        case int() | float():
            return _of_seconds(value)
        case datetime():
            return _placed(value, zone)
        case date():
            return _placed(datetime.combine(value, time()), zone)
    raise ValueError(f"{shown(value)} is not a timestamp")


@lru_cache(maxsize=65_536)
def _of_text(text: str, zone: tzinfo | None) -> datetime:
    stripped = text.strip()
    if not _ISO.fullmatch(stripped):
        raise ValueError(f"{shown(text)} is not a timestamp; write it like 2026-01-31 13:45:00 or 2026-01-31T13:45:00Z")
    try:
        moment = datetime.fromisoformat(stripped.replace(",", ".").replace(" Z", "Z").replace(" +", "+"))
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a timestamp: {error}") from error
    return _placed(moment, zone)


def _of_seconds(value: float) -> datetime:
    if not _FIRST_SECOND <= value < _LAST_SECOND:
        raise ValueError(f"the number {shown(value)} is not plausible as seconds since 1970 (those of 1990 to 2100)")
    return _EPOCH + timedelta(microseconds=round(value * 1_000_000))


def _placed(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.utcoffset() is None:
        if zone is None:
            raise ValueError(f"{moment.isoformat(sep=' ')} carries no time zone, and the source declares none")
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat(sep=' ')} is out of range") from error


def read_timestamp_array(values: pa.Array[Any], zone_name: str | None) -> pa.Array[Any] | None:
    """A date or timestamp array as UTC microseconds; None where rows have to be judged one by one."""
    kind = values.type
    if pa.types.is_date(kind):
        values, kind = values.cast(pa.timestamp("us"), safe=False), pa.timestamp("us")
    if kind.tz is None:
        if not zone_name:
            return None
        try:
            naive: Any = values
            values = pc.assume_timezone(naive, zone_name, ambiguous="earliest", nonexistent="earliest")
        except pa.ArrowInvalid:
            return None
    try:
        instants = values.cast(pa.timestamp("us", tz="UTC"), safe=kind.unit != "ns")
    except pa.ArrowInvalid:
        return None
    bounds: Any = pc.min_max(instants.cast(pa.int64())).as_py()
    if bounds["min"] is not None and (bounds["min"] < _LOWEST or bounds["max"] > _HIGHEST):
        return None
    return instants

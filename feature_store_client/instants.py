"""Times as callers write them, and what they mean on the wire: UTC, with a zone, to the microsecond.

A time without a zone is taken in the zone of the client (``timezone=``, UTC by default). A bare date is that whole
day there: its first microsecond as a start, its last as an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from feature_store_client.errors import InvalidRequestError

Instant = str | date | datetime | pd.Timestamp
# Where clocks go back at midnight the last moment comes twice; the second one ends the day.
_LAST_MOMENT = time.max.replace(fold=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRange:
    """Which value rows may be used, by their event timestamp, both ends included; None leaves an end open."""

    start: Instant | None = None
    end: Instant | None = None


class _HasEnds(Protocol):
    @property
    def start(self) -> Instant | None: ...

    @property
    def end(self) -> Instant | None: ...


RangeLike = Mapping[str, Instant | None] | tuple[Instant | None, Instant | None] | _HasEnds


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequestError(f"timezone {name!r} is no time zone; write one such as Europe/Berlin") from error


def range_on_the_wire(given: RangeLike, *, zone: ZoneInfo) -> dict[str, str]:
    """The query parameters ``start`` and ``end`` of a range written as mapping, pair, or object with both."""
    start, end = _ends(given)
    wire = {}
    if start is not None:
        wire["start"] = instant_on_the_wire(start, zone=zone, name="start", as_end=False)
    if end is not None:
        wire["end"] = instant_on_the_wire(end, zone=zone, name="end", as_end=True)
    return wire


def instant_on_the_wire(given: Instant, *, zone: ZoneInfo, name: str, as_end: bool) -> str:
    """The ISO 8601 text in UTC of a time; ``as_end`` takes a bare date as the end of its day."""
    moment = _read(given, name=name)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, _LAST_MOMENT if as_end else time())
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC).isoformat()
    except OverflowError:
        raise InvalidRequestError(f"{name} is {given!r}, which is beyond what a time in UTC can be") from None


def _ends(given: RangeLike) -> tuple[Instant | None, Instant | None]:
    if isinstance(given, Mapping):
        unknown = sorted(set(given) - {"start", "end"})
        if unknown:
            raise InvalidRequestError(f"timestamp_range has {', '.join(unknown)}; it takes start and end")
        return given.get("start"), given.get("end")
    if isinstance(given, tuple | list):
        if len(given) != 2:
            raise InvalidRequestError(f"timestamp_range has {len(given)} parts; it takes a start and an end")
        return given[0], given[1]
    if hasattr(given, "start") and hasattr(given, "end"):
        return given.start, given.end
    raise InvalidRequestError(f"timestamp_range is a {type(given).__name__}; give a start and an end")


def _read(given: object, *, name: str) -> date | datetime:
    if isinstance(given, pd.Timestamp):
        # The value rows have microseconds; the nanoseconds beyond them cannot tell two of them apart.
        return given.floor("us").to_pydatetime()
    if isinstance(given, date) and not pd.isna(given):
        return given
    if isinstance(given, str):
        text = given.strip()
        try:
            return date.fromisoformat(text) if len(text) <= len("2025-01-01") else datetime.fromisoformat(text)
        except ValueError:
            pass
    raise InvalidRequestError(f"{name} is {given!r}; write a date, or an ISO 8601 time such as 2025-01-31T12:00Z")

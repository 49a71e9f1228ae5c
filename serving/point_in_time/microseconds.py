"""Times as 64-bit microseconds since 1970-01-01 UTC, with arithmetic that saturates instead of wrapping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.errors import InvalidInput

Times: TypeAlias = npt.NDArray[np.int64]

LOWEST = -(2**63)
HIGHEST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PER_UNIT = {"s": 1_000_000, "ms": 1_000}


def clamped(value: int) -> int:
    """The value, or the nearest end of the 64-bit range."""
    return max(LOWEST, min(HIGHEST, value))


def of_instant(instant: datetime) -> int:
    """Microseconds of an aware datetime; InvalidInput for one without a zone."""
    if instant.utcoffset() is None:
        raise InvalidInput(f"the timestamp {instant.isoformat()} has no time zone; give it one, such as UTC")
    return (instant - _EPOCH) // _MICROSECOND


def of_duration(duration: timedelta) -> int:
    """Microseconds of a duration that is not negative, at most the 64-bit range."""
    if duration < timedelta(0):
        raise InvalidInput(f"a max age cannot be negative, but {duration} is")
    return clamped(duration // _MICROSECOND)


def of_column(column: pa.Array[Any] | pa.ChunkedArray[Any], *, name: str) -> tuple[Times, npt.NDArray[np.bool_]]:
    """Microseconds of a timestamp column of any unit, and which rows are null (0 there).

    Nanoseconds are rounded down to the microsecond. InvalidInput when it is no timestamp or has no zone.
    """
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = values.type
    if not pa.types.is_timestamp(kind):
        raise InvalidInput(f"the column {name!r} must hold timestamps, but its type is {kind}")
    if kind.tz is None:
        raise InvalidInput(f"the column {name!r} holds timestamps without a time zone; convert it to UTC")
    missing = nulls_of(values)
    counts = integers(values.cast(pa.int64()), null=0)
    if kind.unit == "ns":
        return counts // 1_000, missing
    factor = _PER_UNIT.get(kind.unit)
    if factor is None:
        return counts, missing
    within = counts.clip(-(HIGHEST // factor), HIGHEST // factor)
    return np.where(within == counts, within * factor, np.where(counts < 0, LOWEST, HIGHEST)), missing


def nulls_of(values: pa.Array[Any]) -> npt.NDArray[np.bool_]:
    """Which of the values are null."""
    if not values.null_count:
        return np.zeros(len(values), dtype=np.bool_)
    return np.asarray(values.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)


def integers(values: pa.Array[Any], *, null: int) -> npt.NDArray[np.int64]:
    """64-bit integers, with ``null`` in the place of nulls; without any, they are not copied."""
    return np.asarray((values.fill_null(null) if values.null_count else values).to_numpy(zero_copy_only=False))


def earlier(times: Times, duration: int) -> Times:
    """``times - duration`` for a duration that is not negative, at least the lowest time."""
    floor = LOWEST + duration
    return np.where(times < floor, LOWEST, np.maximum(times, floor) - duration)

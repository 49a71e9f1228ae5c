"""Arrow columns as JSON values and as JSON bytes (pure: no Django)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A dictionary-encoded column as its values; any other as it is."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def json_values(column: pa.ChunkedArray) -> list[Any]:
    """The values as :func:`json_bytes` writes them: integers exact, timestamps as ISO 8601 text.

    Timestamps with a zone are in UTC with microseconds and ``Z``; those without carry none.
    """
    column = plain(column)
    if pa.types.is_timestamp(column.type):
        return timestamp_texts(column).to_pylist()
    return column.to_pylist()


def timestamp_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Timestamps of any unit as ISO 8601 text with six decimals, and ``Z`` where they have a zone."""
    zone = "" if column.type.tz is None else "Z"
    if column.type.unit == "ns":
        column = pc.floor_temporal(column, unit="microsecond") if column.type.tz is None else _floored(column)
    naive = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64()).cast(pa.timestamp("us"))
    return pc.strftime(naive, format=f"%Y-%m-%dT%H:%M:%S{zone}")


def _floored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # By its integers: the zone's own calendar does not matter to a microsecond.
    counts = column.cast(pa.int64())
    return pc.floor_temporal(counts.cast(pa.timestamp("ns")), unit="microsecond").cast(pa.int64()).cast(column.type)

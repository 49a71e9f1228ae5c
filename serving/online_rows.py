"""Value rows of the offline store → rows of the online store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serving.models.fields import UNKNOWN_US
from serving.stores.online import OnlineRow

BATCH = 10_000
_UNKNOWN_ARRIVAL = -1


def online_rows(table: pa.Table, *, value_columns: Sequence[str]) -> Iterator[OnlineRow]:
    """Each row of ``table`` (columns of the offline store) as the online store keeps it."""
    for batch in table.to_batches(max_chunksize=BATCH):
        part = pa.Table.from_batches([batch])
        columns = [json_column(part[name]) for name in value_columns]
        stamps = zip(
            part["entity_key"].to_pylist(),
            _microseconds(part["event_timestamp"]),
            _microseconds(part["created_timestamp"]),
            pc.fill_null(part["arrival"].cast(pa.int64()), _UNKNOWN_ARRIVAL).to_pylist(),
            pc.fill_null(part["run_id"].cast(pa.string()), "").to_pylist(),
            strict=True,
        )
        for position, (key, event_us, created_us, arrival, run_id) in enumerate(stamps):
            values = {name: column[position] for name, column in zip(value_columns, columns, strict=True)}
            yield OnlineRow(key, values, event_us, created_us, arrival, run_id)


def json_column(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column as JSON has them: timestamps as ISO text in UTC, NaN and infinity as null."""
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.fill_null(pc.is_finite(column), False), column, pa.scalar(None, column.type)).to_pylist()
    if pa.types.is_timestamp(column.type):
        return [None if value is None else iso_text(value) for value in column.to_pylist()]
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return [None if value is None else [_finite(item) for item in value] for value in column.to_pylist()]
    return column.to_pylist()


def iso_text(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _microseconds(column: pa.ChunkedArray) -> list[int]:
    return pc.fill_null(column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()), UNKNOWN_US).to_pylist()

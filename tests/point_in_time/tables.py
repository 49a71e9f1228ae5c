"""Tiny Arrow tables for the point-in-time tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from serving.point_in_time import GroupHistory, WantedColumn, join_point_in_time
from tests.point_in_time.oracle import ValueRow

TIMESTAMP = pa.timestamp("us", "UTC")
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def hours(count: float) -> datetime:
    """So many hours after noon."""
    return NOON + timedelta(hours=count)


def value(
    key: str | None,
    event: datetime | None,
    stored: object,
    *,
    created: datetime | None = None,
    arrival: int | None = None,
) -> ValueRow:
    return ValueRow(key=key, event=event, created=created, arrival=arrival, value=stored)


def history(rows: Iterable[ValueRow], data_type: pa.DataType | None = None) -> pa.Table:
    """An offline table with the one value column ``balance_v1``."""
    rows = list(rows)
    return pa.table(
        {
            "entity_key": pa.array([row.key for row in rows], pa.string()),
            "event_timestamp": pa.array([row.event for row in rows], TIMESTAMP),
            "created_timestamp": pa.array([row.created for row in rows], TIMESTAMP),
            "run_id": pa.array([f"run-{row.value}" for row in rows], pa.string()),
            "arrival": pa.array([row.arrival for row in rows], pa.int64()),
            "balance_v1": pa.array([row.value for row in rows], data_type or pa.int64()),
        }
    )


def group(
    stored: pa.Table,
    *,
    max_age: timedelta | None = None,
    data_type: pa.DataType | None = None,
    default: object | None = None,
    key_column: str = "key",
    output: str = "balance",
    name: str = "financial",
) -> GroupHistory:
    wanted = WantedColumn(value_column="balance_v1", output=output, data_type=data_type or pa.int64(), default=default)
    return GroupHistory(name=name, history=stored, wanted=(wanted,), key_column=key_column, max_age=max_age)


def entities(rows: Sequence[tuple[str | None, datetime | None]]) -> pa.Table:
    return pa.table(
        {
            "key": pa.array([key for key, _ in rows], pa.string()),
            "at": pa.array([time for _, time in rows], TIMESTAMP),
        }
    )


def balances(
    rows: list[ValueRow],
    asked: list[tuple[str | None, datetime | None]],
    *,
    max_age: timedelta | None = None,
    default: object | None = None,
    **request: Any,
) -> list[object]:
    """The answers of a request with one group and one wanted column."""
    joined = join_point_in_time(
        entities=entities(asked),
        time_column="at",
        groups=[group(history(rows), max_age=max_age, default=default)],
        **request,
    )
    return joined.column("balance").to_pylist()

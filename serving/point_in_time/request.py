"""What a point-in-time join is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.dataset as ds

from catalog.errors import InvalidInput
from serving.point_in_time import microseconds


class RowSource(Protocol):
    """Rows that are read in batches, as a dataset of Arrow gives them.

    ``filter`` says which rows are needed at least; others may come too.
    """

    @property
    def schema(self) -> pa.Schema: ...

    def to_batches(self, *, columns: list[str], filter: ds.Expression | None) -> Iterable[pa.RecordBatch]: ...


History: TypeAlias = pa.Table | ds.Dataset | RowSource
"""Value rows with the columns of an offline table: ``entity_key`` text, ``event_timestamp`` and
``created_timestamp`` in microseconds UTC, ``run_id``, ``arrival`` and one column per feature major version.
All but the first two may be absent, which is the same as null in every row."""


@dataclass(frozen=True)
class KnownAtEventTime:
    """Rows created by the time of the entity row they would answer, and by an instant."""

    by: datetime


KnownAt: TypeAlias = datetime | Literal["event_time"] | KnownAtEventTime | None
"""None: every row counts. An instant: rows created by then. ``event_time``: rows created by the time of the
entity row they would answer. A row without a created timestamp counts only for None."""


@dataclass(frozen=True)
class WantedColumn:
    """One output column: where its value is stored, its type, and what stands in when there is no row."""

    value_column: str
    output: str
    data_type: pa.DataType
    default: object | None = None


@dataclass(frozen=True)
class GroupHistory:
    """The value rows of one feature group and what is wanted of them.

    ``key_column`` names the column of the entity table with this group's encoded entity key. ``name`` need
    be unique in a request only when timestamps are included.
    """

    name: str
    history: History
    wanted: tuple[WantedColumn, ...]
    key_column: str
    max_age: timedelta | None = None

    def __post_init__(self) -> None:
        if self.max_age is not None:
            microseconds.of_duration(self.max_age)


@dataclass(frozen=True)
class TimeRange:
    """Bounds on the event timestamp of value rows, both included; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        bounds = [microseconds.of_instant(bound) for bound in (self.start, self.end) if bound is not None]
        if len(bounds) == 2 and bounds[0] > bounds[1]:
            raise InvalidInput("the time range ends before it starts; its start must be at or before its end")


@dataclass(frozen=True)
class EngineLimits:
    """Limits of the embedded engine: memory such as ``"2GB"``, the folder it spills to beyond that, threads.

    By default four fifths of the machine's memory, the system's temporary folder and every core.
    """

    memory_limit: str | None = None
    temp_directory: str | None = None
    threads: int | None = None

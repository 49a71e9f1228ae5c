"""What is asked of a source and what comes back (pure: no Django)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from catalog.value_types import ValueType

# A column as its source gave it: typed where the format is, Python objects where it is not.
RawColumn: TypeAlias = "pa.Array[Any] | npt.NDArray[np.object_]"
RawRows: TypeAlias = Mapping[str, RawColumn]

TIMESTAMP_COLUMNS = ("last_updated", "event_timestamp", "updated_date", "created_date")


class SourcePlace(Protocol):
    """Where tables are read from: ``kind`` is sqlite, csv or parquet; ``location`` a file or a folder."""

    @property
    def kind(self) -> str: ...

    @property
    def location(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Place:
    """The plain form of :class:`SourcePlace`."""

    kind: str
    location: str


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of a source: its columns with their declared types, in order, and how many rows it has."""

    name: str
    columns: dict[str, str]
    row_count: int


@dataclass(frozen=True, slots=True)
class WantedColumn:
    """One value column to fill: from ``source_column``, or from ``expression`` over the columns of the source."""

    value_column: str
    name: str
    value_type: ValueType
    source_column: str | None = None
    expression: str | None = None


@dataclass(frozen=True, slots=True)
class ExtractionRequest:
    """All that decides which rows are read from a source, and how.

    ``key_columns`` are (join key, its column in the source), in the order of the entity. ``timezone`` is the
    zone of source timestamps that carry none; without one those are faults. ``changed_since`` leaves out rows
    whose created timestamp is before it, and does nothing for a table without a created column.
    """

    kind: str
    location: str
    table: str
    key_columns: tuple[tuple[str, str], ...]
    columns: tuple[WantedColumn, ...]
    timestamp_column: str | None = None
    created_column: str | None = None
    timezone: str | None = None
    batch_rows: int = 10_000
    changed_since: datetime | None = None

    @property
    def place(self) -> Place:
        return Place(kind=self.kind, location=self.location)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in one row that cannot be read: ``rule`` is key, timestamp or type.

    A broken key or timestamp makes the row impossible to store; a value of the wrong type becomes null.
    """

    source_row: int
    rule: str
    message: str
    raw: Any = None
    feature: str | None = None
    value_column: str | None = None


@dataclass(frozen=True)
class Batch:
    """Some consecutive rows of a source.

    ``table`` has entity_key, event_timestamp, created_timestamp, source_row (position among the rows read)
    and one typed column per value column; key and timestamp are null where a fault says so.
    """

    table: pa.Table
    faults: tuple[Fault, ...]
    raw: RawRows = field(repr=False)

    def raw_row(self, source_row: int) -> dict[str, Any]:
        """The columns of one row as the source has them, fit for JSON; what quarantine keeps.

        :raises IndexError: when the row is not of this batch.
        """
        rows = self.table.column("source_row").to_numpy()
        at = int(np.searchsorted(rows, source_row))
        if at == len(rows) or rows[at] != source_row:
            raise IndexError(f"row {source_row} is not of this batch")
        return {name: json_value(_item(column, at)) for name, column in self.raw.items()}


class Extraction(Iterator[Batch]):
    """The batches of one table, read in one consistent snapshot, and what was learnt when it was opened.

    Close it, or use it in a ``with`` block, to let the source go before the end is reached.
    """

    def __init__(
        self,
        *,
        table: SourceTable,
        timestamp_column: str,
        created_column: str | None,
        missing: Mapping[str, str],
        batches: Iterator[Batch],
        release: Callable[[], None],
    ) -> None:
        self.table = table
        self.row_count = table.row_count
        self.timestamp_column = timestamp_column
        self.created_column = created_column
        self.missing: dict[str, str] = dict(missing)
        """Value column → why its source gives no values; it is null throughout."""
        self._batches = batches
        self._release = release

    def __next__(self) -> Batch:
        return next(self._batches)

    def __enter__(self) -> Extraction:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the source go."""
        self._release()


def row_digest(row: Mapping[str, Any]) -> str:
    """The SHA-256 of a raw row: the same for the same values, whatever the order of the columns."""
    return hashlib.sha256(orjson.dumps(dict(row), option=orjson.OPT_SORT_KEYS)).hexdigest()


def json_value(value: object) -> Any:
    """``value`` as it can stand in JSON: times as ISO text, bytes as hexadecimal, NaN and infinity as null."""
    match value:
        case None | bool():
            return value
        case str():
            return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL's JSON cannot hold NUL
        case int():
            # JSON readers, the database's among them, keep integers exact up to 64 bits.
            return value if -(2**63) <= value < 2**63 else str(value)
        case float():
            return value if np.isfinite(value) else None
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat()
        case list() | tuple() | np.ndarray():
            return [json_value(item) for item in value]
        case dict():
            return {str(key): json_value(item) for key, item in value.items()}
        case np.generic():
            return json_value(value.item())
    return str(value)


def _item(column: RawColumn, at: int) -> object:
    return column[at].as_py() if isinstance(column, pa.Array) else column[at]


def shown(value: object, *, most: int = 80) -> str:
    """``value`` as it is put into a message, never longer than ``most``."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def names_of(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The source columns of a request's key columns."""
    return [column for _, column in pairs]

"""Entity rows that came as an Arrow table (pure: no Django)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.entity_key_columns import encode_entity_keys
from catalog.errors import InvalidInput
from serving.instants import parse_instant
from serving.point_in_time.microseconds import of_instant
from serving.wire.entity_frame import EVENT_TIMESTAMP, INSTANT
from serving.wire.json_values import json_values, plain


class ArrowRows:
    """Implements :class:`serving.wire.entity_frame.EntityFrame`."""

    def __init__(self, table: pa.Table) -> None:
        names = table.column_names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInput(f"the column {', '.join(twice)} is there twice", details={"columns": twice})
        for name in names:
            _refuse_far_times(name, plain(table.column(name)))
        self._table = table
        self.columns = tuple(names)
        self.count = table.num_rows

    def keys(self, names: Sequence[str]) -> pa.Array:
        if not self.columns:
            return pa.array([], pa.string())
        return encode_entity_keys([self._table.column(name) for name in names])

    def times(self) -> pa.Array:
        if EVENT_TIMESTAMP not in self.columns:
            return pa.nulls(self.count, INSTANT)
        column = plain(self._table.column(EVENT_TIMESTAMP))
        kind = column.type
        if pa.types.is_null(kind):
            return pa.nulls(self.count, INSTANT)
        if pa.types.is_timestamp(kind):
            if kind.tz is None:
                raise InvalidInput(
                    f"the column {EVENT_TIMESTAMP!r} has timestamps without a time zone; if they are UTC, cast them to "
                    "a timestamp with the zone UTC (pandas: .dt.tz_localize('UTC'))",
                    details={"field": EVENT_TIMESTAMP},
                )
            return column.combine_chunks()
        if pa.types.is_date(kind):
            return column.cast(pa.timestamp("ms")).combine_chunks().cast(pa.timestamp("us")).cast(INSTANT)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            return _parsed(column.cast(pa.string()).combine_chunks())
        raise InvalidInput(
            f"the column {EVENT_TIMESTAMP!r} has the type {kind}; send timestamps with a zone",
            details={"field": EVENT_TIMESTAMP, "type": str(kind)},
        )

    def part(self, start: int, count: int) -> ArrowRows:
        return ArrowRows(self._table.slice(start, count))

    def table(self) -> pa.Table:
        return self._table

    def json_rows(self, size: int) -> Iterator[list[dict[str, Any]]]:
        for start in range(0, self.count, size):
            part = self._table.slice(start, size)
            columns = [json_values(column) for column in part.columns]
            yield [dict(zip(self.columns, row, strict=True)) for row in zip(*columns, strict=True)]


_DAYS = (-719_162, 2_932_896)  # 0001-01-01 and 9999-12-31, from 1970


def _refuse_far_times(name: str, column: pa.ChunkedArray) -> None:
    """What no answer can write is refused before one begins."""
    kind = column.type
    try:
        if pa.types.is_timestamp(kind) and kind.unit in ("s", "ms"):
            column.cast(pa.timestamp("us", tz=kind.tz))
        elif pa.types.is_duration(kind):
            column.cast(pa.duration("us"), safe=kind.unit != "ns")
        elif pa.types.is_date(kind):
            ends = pc.min_max(column.cast(pa.date32()).cast(pa.int32())).as_py()
            if ends["min"] is not None and not (_DAYS[0] <= ends["min"] and ends["max"] <= _DAYS[1]):
                raise pa.ArrowInvalid("a date beyond the years 1 to 9999")
    except pa.ArrowInvalid as error:
        raise InvalidInput(
            f"the column {name!r} has times too far away to be given back: {error}", details={"column": name}
        ) from error


def _parsed(texts: pa.Array) -> pa.Array:
    encoded = texts.dictionary_encode()
    counts = [
        None if text is None else of_instant(parse_instant(text, name=EVENT_TIMESTAMP))
        for text in encoded.dictionary.to_pylist()
    ]
    return pa.array(counts, pa.int64()).cast(INSTANT).take(encoded.indices)

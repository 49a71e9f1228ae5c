"""The answer of a historical read on the wire, piece by piece (pure: no Django)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from serving.wire.entity_frame import EntityFrame
from serving.wire.json_values import json_bytes, json_values, plain, timestamp_texts

ARROW_STREAM = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"
JSON = "application/json"

_BATCH = 65_536
_PARQUET_ROWS = 131_072
_PARQUET_BYTES = 8 * 1024**2
_FEWEST_ROWS = 1_024
_CSV_ROWS = 16_384
_JSON_ROWS = 1_000


class _Pieces(io.RawIOBase):
    """A file that is only written, whose bytes are taken out as they come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: object) -> int:
        part = bytes(memoryview(data))  # type: ignore[arg-type]  # Arrow writes buffers
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def arrow_stream(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """The Arrow IPC stream of tables of one schema, of which there is at least one."""
    pieces, parts = _Pieces(), iter(tables)
    first = next(parts)
    with pa.ipc.new_stream(pieces, first.schema) as writer:
        for part in chain([first], parts):
            for batch in part.to_batches(max_chunksize=_BATCH):
                writer.write_batch(batch)
                yield pieces.take()
    yield pieces.take()


def parquet_file(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """The Parquet file of tables of one schema, of which there is at least one."""
    pieces, parts = _Pieces(), iter(tables)
    first = next(parts)
    with pq.ParquetWriter(pieces, first.schema, compression="zstd") as writer:
        for group in _row_groups(chain([first], parts)):
            writer.write_table(group, row_group_size=group.num_rows)
            yield pieces.take()
    yield pieces.take()


def _row_groups(parts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of one row group each: what is held of the answer is one of them."""
    waiting: list[pa.Table] = []
    for part in parts:
        rows = min(_PARQUET_ROWS, max(_FEWEST_ROWS, _PARQUET_BYTES * part.num_rows // max(part.nbytes, 1)))
        for start in range(0, part.num_rows, rows):
            waiting.append(part.slice(start, rows))
            if sum(table.num_rows for table in waiting) >= rows:
                yield pa.concat_tables(waiting)
                waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def csv_file(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """CSV with a header: nulls empty, timestamps as ISO 8601, lists and objects as JSON."""
    header = True
    for table in tables:
        for start in range(0, max(table.num_rows, 1), _CSV_ROWS):
            part = table.slice(start, _CSV_ROWS)
            flat = pa.table([_csv_column(column) for column in part.columns], names=part.column_names)
            sink = pa.BufferOutputStream()
            pacsv.write_csv(flat, sink, pacsv.WriteOptions(include_header=header))
            header = False
            yield sink.getvalue().to_pybytes()


def _csv_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = plain(column)
    kind = column.type
    if pa.types.is_timestamp(kind):
        return timestamp_texts(column)
    if pa.types.is_floating(kind):
        # As in JSON, what is not a number is nothing.
        finite = pc.fill_null(pc.is_finite(column.cast(pa.float64())), False)
        return pc.if_else(finite, column.cast(pa.float64()), pa.scalar(None, pa.float64()))
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        texts = [None if value is None else json_bytes(value).decode() for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column


def json_document(*, frame: EntityFrame, features: pa.Table, masked: Sequence[str]) -> Iterator[bytes]:
    """``{columns, row_count, masked, data}``: the entity rows as they came, with the features beside them."""
    columns = [*frame.columns, *features.column_names]
    head = json_bytes({"columns": columns, "row_count": frame.count, "masked": list(masked)})
    yield head[:-1] + b',"data":['
    names = features.column_names
    start = 0
    for rows in frame.json_rows(_JSON_ROWS):
        values = [json_values(column) for column in features.slice(start, len(rows)).columns]
        for name, column in zip(names, values, strict=True):
            for row, value in zip(rows, column, strict=True):
                row[name] = value
        text = json_bytes(rows)[1:-1]
        yield text if start == 0 else b"," + text
        start += len(rows)
    yield b"]}"

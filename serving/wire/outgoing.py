"""The answer of a historical read on the wire, piece by piece (pure: no Django)."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from serving.wire.entity_frame import EntityFrame
from serving.wire.json_bytes import json_bytes
from serving.wire.json_values import json_values, plain, timestamp_texts

_BATCH = 65_536
# Bytes that are handed to the server at once: it sends the first while the next are put together, and memory of this
# size is used again instead of being asked for anew, which takes longer than the copying.
_PIECE = 256 * 1024
_PARQUET_ROWS = 131_072
_TOGETHER_BYTES = 8 * 1024**2
_CSV_ROWS = 16_384
_JSON_ROWS = 1_000


class _Pieces(io.RawIOBase):
    """A file that is only written, whose bytes are taken out as they come."""

    def __init__(self) -> None:
        self._parts: list[memoryview] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: object) -> int:
        # Arrow's buffers, which live as long as they are looked at and do not change: they are copied once, when taken.
        part = memoryview(data)  # type: ignore[arg-type]
        self._parts.append(part)
        self._position += part.nbytes
        return part.nbytes

    def take(self) -> Iterator[bytes]:
        """What was written since the last time, in pieces of _PIECE bytes and a last, shorter one."""
        parts, self._parts = self._parts, []
        waiting: list[memoryview] = []
        room = _PIECE
        for part in parts:
            rest = part
            while rest.nbytes >= room:
                yield b"".join([*waiting, rest[:room]])
                rest, waiting, room = rest[room:], [], _PIECE
            waiting.append(rest)
            room -= rest.nbytes
        if room < _PIECE:
            yield b"".join(waiting)


def arrow_stream(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """The Arrow IPC stream of tables of one schema, of which there is at least one."""
    schema, parts = _with_schema(tables)
    pieces = _Pieces()
    with pa.ipc.new_stream(pieces, schema) as writer:
        for part in parts:
            for batch in arrow_batches(part):
                writer.write_batch(batch)
                yield from pieces.take()
    yield from pieces.take()


def arrow_batches(table: pa.Table) -> list[pa.RecordBatch]:
    """The batches in which a table is written to an Arrow stream."""
    return table.to_batches(max_chunksize=_rows_of(table, most=_BATCH))


def _with_schema(tables: Iterable[pa.Table]) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """The schema of the tables, and all of them, none of which is held once the next one is asked for."""
    parts = iter(tables)
    waiting = [next(parts)]

    def every() -> Iterator[pa.Table]:
        yield waiting.pop()
        yield from parts

    return waiting[0].schema, every()


def _rows_of(table: pa.Table, *, most: int) -> int:
    """How many rows of the table are written at a time: ``most``, or as many as are a few megabytes."""
    return max(1, min(most, _TOGETHER_BYTES * table.num_rows // max(table.nbytes, 1)))


def parquet_file(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """The Parquet file of tables of one schema, of which there is at least one."""
    schema, parts = _with_schema(tables)
    pieces = _Pieces()
    with pq.ParquetWriter(pieces, schema, compression="zstd") as writer:
        for group in _row_groups(parts):
            writer.write_table(group, row_group_size=group.num_rows)
            yield from pieces.take()
    yield from pieces.take()


def _row_groups(parts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of one row group each: what is held of the answer is one of them."""
    waiting: list[pa.Table] = []
    for part in parts:
        rows = _rows_of(part, most=_PARQUET_ROWS)
        for start in range(0, part.num_rows, rows):
            waiting.append(part.slice(start, rows))
            if sum(table.num_rows for table in waiting) >= rows:
                yield pa.concat_tables(waiting)
                waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def csv_file(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """CSV with a header: nulls empty, timestamps as ISO 8601, lists and objects as JSON, bytes in base 64."""
    header = True
    for table in tables:
        # Lists are texts of several times their size here, and objects of Python before.
        rows = _rows_of(table, most=_CSV_ROWS * 8) // 8 or 1
        for start in range(0, max(table.num_rows, 1), rows):
            part = table.slice(start, rows)
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
    if pa.types.is_nested(kind):
        texts = [None if value is None else json_bytes(value).decode() for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if _is_binary(kind):
        texts = [None if value is None else base64.b64encode(value).decode() for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if isinstance(kind, pa.BaseExtensionType):
        return pa.chunked_array([pa.array(map(_text_of, column.to_pylist()), pa.string())])
    return column


def _is_binary(kind: pa.DataType) -> bool:
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(test(kind) for test in tests)


def _text_of(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json_bytes(value).decode().strip('"')


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

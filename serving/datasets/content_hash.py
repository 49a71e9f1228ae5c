"""One digest of what a table holds, whatever file, chunks or encoding it lies in (pure: no Django).

Every column has a digest of its own: the SHA-256 of, one after the other,

1. its type as text (dictionaries count as their values, large text and lists as plain ones; how the items of a list
   are called does not count),
2. one byte per row, 1 where there is a value and 0 where there is none,
3. for text, binary and lists: the length of every row as a 64-bit integer, 0 where there is none,
4. the values, row by row: numbers and booleans, times and durations in their little-endian form with 0 where there is
   none and one bit pattern for every NaN; text in UTF-8 and binary as they are; of lists and structs their parts by
   these same rules; of any other type the JSON text of each value, with a newline behind it.

The digest of the table is the SHA-256 of the number of rows as a 64-bit integer and, column by column in order, the
length of its name in UTF-8 as a 64-bit integer, the name, and the digest of the column. So the order of rows and
columns counts; how the rows are cut into chunks does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from serving.wire.json_bytes import json_bytes

_TOGETHER = 16 * 1024


def content_hash(table: pa.Table) -> str:
    """The digest of the table, 64 hexadecimal digits."""
    digest = hashlib.sha256(_integer(table.num_rows))
    for name, column in zip(table.column_names, table.columns, strict=True):
        text = name.encode()
        digest.update(_integer(len(text)) + text + _column_digest(column))
    return digest.hexdigest()


def _column_digest(column: pa.ChunkedArray) -> bytes:
    kind = _plain(pa.array([], column.type)).type
    digest = hashlib.sha256(_type_text(kind).encode())
    for part in _parts(_Chunks(column, (_plain,)), kind):
        digest.update(part)
    return digest.digest()


@dataclass(frozen=True)
class _Chunks:
    """Pieces of a column, each worked out when it is its turn: only one of them is held at a time."""

    column: pa.ChunkedArray
    steps: tuple[Callable[[pa.Array], pa.Array], ...]

    def __iter__(self) -> Iterator[pa.Array]:
        for chunk in self.column.chunks:
            for start in range(0, len(chunk), _TOGETHER):
                part = chunk.slice(start, _TOGETHER)
                for step in self.steps:
                    part = step(part)
                yield part

    def then(self, *steps: Callable[[pa.Array], pa.Array]) -> _Chunks:
        return _Chunks(self.column, (*self.steps, *steps))


def _parts(chunks: _Chunks, kind: pa.DataType) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk.is_valid().cast(pa.uint8()).to_numpy(zero_copy_only=False).tobytes()
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        for chunk in chunks:
            yield _bytes_of(pc.fill_null(pc.binary_length(chunk), 0).cast(pa.int64()))
        for chunk in chunks:
            yield _joined(chunk.drop_null())
    elif pa.types.is_large_list(kind):
        for chunk in chunks:
            yield _bytes_of(pc.fill_null(pc.list_value_length(chunk), 0).cast(pa.int64()))
        yield from _parts(chunks.then(_items, _plain), _plain(pa.array([], kind.value_type)).type)
    elif pa.types.is_struct(kind):
        for position in range(kind.num_fields):
            field = _plain(pa.array([], kind.field(position).type)).type
            yield kind.field(position).name.encode()
            yield from _parts(chunks.then(partial(pc.struct_field, indices=position), _plain), field)
    elif pa.types.is_null(kind):
        return
    elif _is_plain_number(kind):
        for chunk in chunks:
            yield _bytes_of(chunk)
    else:
        for chunk in chunks:
            yield b"".join(json_bytes(value) + b"\n" for value in chunk.to_pylist())


def _items(lists: pa.Array) -> pa.Array:
    return lists.flatten()


def _plain(array: pa.Array) -> pa.Array:
    """The same values in the one form that is digested."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind) or pa.types.is_binary_view(kind):
        return array.cast(pa.large_binary())
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or _is_list_view(kind):
        return array.cast(pa.large_list(kind.value_type))
    return array


def _type_text(kind: pa.DataType) -> str:
    plain = _plain(pa.array([], kind)).type
    if pa.types.is_large_string(plain):
        return "string"
    if pa.types.is_large_binary(plain):
        return "binary"
    if pa.types.is_large_list(plain):
        return f"list<{_type_text(plain.value_type)}>"
    if pa.types.is_struct(plain):
        fields = [plain.field(position) for position in range(plain.num_fields)]
        return f"struct<{', '.join(f'{field.name}: {_type_text(field.type)}' for field in fields)}>"
    if pa.types.is_map(plain):
        return f"map<{_type_text(plain.key_type)}, {_type_text(plain.item_type)}>"
    return str(plain)


def _is_list_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind))


def _is_plain_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)) or bool(
        pa.types.is_temporal(kind) and not pa.types.is_interval(kind)
    )


def _bytes_of(array: pa.Array) -> bytes:
    kind = array.type
    if pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif pa.types.is_temporal(kind):
        array = array.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
    filled = pc.fill_null(array, pa.scalar(0, array.type)) if array.null_count else array
    values: npt.NDArray[Any] = filled.to_numpy(zero_copy_only=False)
    if np.issubdtype(values.dtype, np.floating):
        values = np.where(np.isnan(values), np.array(np.nan, values.dtype), values)
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def _joined(texts: pa.Array) -> bytes:
    """The bytes of all texts of an array without nulls, one after the other."""
    if not len(texts):
        return b""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return b"" if data is None else data[int(ends[0]) : int(ends[-1])].to_pybytes()


def _integer(value: int) -> bytes:
    return value.to_bytes(8, "little")

"""Columns of values → the JSON text of every row, made a column at a time.

Arrow puts the texts of the columns together, and no object stands for a value. So it takes a fraction of the time of
going through rows, and most of that without the interpreter's lock: another thread can write what is ready meanwhile.
Numbers are written by orjson, each as the shortest text that reads back as the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

_TEXT = pa.large_string()
_NOTHING = pa.scalar("", _TEXT)
# What a JSON string may not hold as it is.
_ESCAPED = r'["\\\x00-\x1f]'
_YEARS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
_DATE = len("2025-01-01")


def json_documents(values: pa.Table) -> pa.LargeStringArray:
    """One JSON object per row, by column name: NaN and infinity are null, timestamps are ISO text in UTC.

    :raises TypeError: when a value has no form in JSON.
    """
    names = values.column_names
    if not names:
        return pa.repeat(pa.scalar("{}", _TEXT), values.num_rows)
    parts: list[Any] = []
    ended = "{"
    for number, (name, column) in enumerate(zip(names, values.columns, strict=True), start=1):
        end = "}" if number == len(names) else ","
        parts.append(pa.scalar(f"{ended}{orjson.dumps(name).decode()}:", _TEXT))
        if pa.types.is_floating(column.type):
            parts.append(_numbers(column, end))
            ended = ""
        else:
            parts.append(_texts(column))
            ended = end
    parts += [pa.scalar(ended, _TEXT), _NOTHING]
    return pc.binary_join_element_wise(*parts, null_handling="replace", null_replacement="null")


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


def _numbers(column: pa.ChunkedArray, end: str) -> pa.LargeStringArray:
    """The text of each number, and ``end`` behind it."""
    if not len(column):
        return pa.array([], _TEXT)
    # A null comes out as NaN, and NaN is null in JSON: orjson writes it so.
    numbers = np.ascontiguousarray(column.cast(pa.float64()).to_numpy())
    # "[1.5,null]": the text of each value ends with a comma, and that of the last one with the bracket.
    text = np.frombuffer(orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY), np.uint8).copy()
    text[-1] = ord(",")
    ends = np.flatnonzero(text == ord(","))
    text[ends] = ord(end)
    offsets = np.concatenate([np.ones(1, np.int64), ends + 1])
    return pa.LargeStringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(text))


def _texts(column: pa.ChunkedArray) -> pa.Array:
    """The JSON text of each value; null stays null."""
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        return _whole(column.cast(_TEXT))
    if pa.types.is_timestamp(kind):
        return _instants(column)
    if pa.types.is_list(kind) and pa.types.is_floating(kind.value_type):
        return _lists(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return _strings(_whole(column.cast(_TEXT)))
    return _one_by_one(json_column(column))


def _strings(column: pa.LargeStringArray) -> pa.Array:
    if pc.any(pc.match_substring_regex(column, _ESCAPED)).as_py():
        return _one_by_one(column.to_pylist())
    return _quoted(column)


def _instants(column: pa.ChunkedArray) -> pa.Array:
    instants = _whole(column.cast(pa.timestamp("us", tz="UTC")))
    first, last = (pa.scalar(instant, instants.type) for instant in _YEARS)
    if not pc.all(pc.and_(pc.less_equal(first, instants), pc.less_equal(instants, last))).as_py():
        return _one_by_one(json_column(column))  # says what is wrong
    text = instants.cast(pa.timestamp("us")).cast(_TEXT)
    mark, end = pa.scalar('"', _TEXT), pa.scalar('Z"', _TEXT)
    return pc.binary_join_element_wise(mark, pc.utf8_replace_slice(text, _DATE, _DATE + 1, "T"), end, _NOTHING)


def _lists(column: pa.ChunkedArray) -> pa.Array:
    texts: list[bytes | None] = []
    for chunk in column.chunks:
        items = chunk.values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        offsets = chunk.offsets.to_pylist()
        present = chunk.is_valid().to_pylist()
        texts += [
            orjson.dumps(items[start:end], option=orjson.OPT_SERIALIZE_NUMPY) if there else None
            for start, end, there in zip(offsets, offsets[1:], present, strict=False)
        ]
    return pa.array(texts, pa.large_binary()).cast(_TEXT)


def _one_by_one(values: Sequence[Any]) -> pa.Array:
    texts = [None if value is None else orjson.dumps(value) for value in values]
    return pa.array(texts, pa.large_binary()).cast(_TEXT)


def _quoted(column: pa.Array) -> pa.Array:
    mark = pa.scalar('"', _TEXT)
    return pc.binary_join_element_wise(mark, column, mark, _NOTHING)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None

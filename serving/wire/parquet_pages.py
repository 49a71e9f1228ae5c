"""What the pages of a Parquet file hold, from the headers in front of them (pure: no Django).

The footer says how large everything is, but nothing compares it with the pages; what a reader allocates is what the
page headers say. They are Thrift structs in the compact protocol
(https://github.com/apache/parquet-format, PageHeader).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

_DICTIONARY_PAGE = 2
_DATA_HEADERS = (5, 8)  # DataPageHeader and DataPageHeaderV2
_DELTA_BYTE_ARRAY = 7
_ENCODING_FIELD = {5: 2, 8: 4}
_MAX_DEPTH = 8


@dataclass(frozen=True)
class Pages:
    """All pages of one column of one row group: values and bytes, neither compressed."""

    values: int
    bytes: int
    has_dictionary: bool
    shares_beginnings: bool


def read_pages(body: bytes | memoryview, column: pq.ColumnChunkMetaData) -> Pages:
    """Walk over the page headers of a column.

    :raises ValueError: when they are damaged.
    """
    place = column.data_page_offset
    if column.has_dictionary_page and column.dictionary_page_offset:
        place = min(place, column.dictionary_page_offset)
    values = size = 0
    has_dictionary = shares = False
    while values < column.num_values:
        header, place = _struct(body, place, 0)
        packed, unpacked = header.get(3, -1), header.get(2, -1)
        if not (isinstance(packed, int) and isinstance(unpacked, int) and packed >= 0 and unpacked >= 0):
            raise ValueError("a page header lacks its sizes")
        place += packed
        size += unpacked
        has_dictionary = has_dictionary or header.get(1) == _DICTIONARY_PAGE
        for field in _DATA_HEADERS:
            data = header.get(field)
            if isinstance(data, dict):
                values += max(int(data.get(1, 0)), 0)
                shares = shares or data.get(_ENCODING_FIELD[field]) == _DELTA_BYTE_ARRAY
    return Pages(values=values, bytes=size, has_dictionary=has_dictionary, shares_beginnings=shares)


def _struct(body: bytes | memoryview, place: int, depth: int) -> tuple[dict[int, Any], int]:
    if depth > _MAX_DEPTH:
        raise ValueError("a page header is nested too deeply")
    fields: dict[int, Any] = {}
    number = 0
    while (head := _byte(body, place)) != 0:
        place += 1
        if head >> 4:
            number += head >> 4
        else:
            number, place = _integer(body, place)
        kind = head & 15
        if kind in (1, 2):
            fields[number] = kind == 1
        else:
            fields[number], place = _value(body, place, kind, depth)
    return fields, place + 1


def _value(body: bytes | memoryview, place: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind == 3:
        return _byte(body, place), place + 1
    if kind in (4, 5, 6):
        return _integer(body, place)
    if kind == 7:
        return None, place + 8
    if kind == 8:
        length, place = _varint(body, place)
        return None, place + length
    if kind == 12:
        return _struct(body, place, depth + 1)
    raise ValueError("a page header has a field of a kind that no page header has")


def _integer(body: bytes | memoryview, place: int) -> tuple[int, int]:
    number, place = _varint(body, place)
    return (number >> 1) ^ -(number & 1), place


def _varint(body: bytes | memoryview, place: int) -> tuple[int, int]:
    number = 0
    for index in range(10):
        part = _byte(body, place + index)
        number |= (part & 127) << (7 * index)
        if part < 128:
            return number, place + index + 1
    raise ValueError("a page header has a number without an end")


def _byte(body: bytes | memoryview, place: int) -> int:
    if not 0 <= place < len(body):
        raise ValueError("a page lies outside the file")
    return body[place]

"""What the messages of an Arrow stream claim, from their headers alone (pure: no Django).

Headers are FlatBuffers (https://github.com/apache/arrow, format/Message.fbs); pyarrow has checked their structure
when it gives one out. Only compression makes a body larger than it came, and each compressed buffer begins with its
size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3


@dataclass(frozen=True)
class Claim:
    """One batch: its rows (0 for a dictionary), and the bytes that its buffers take once decompressed.

    ``compressed`` tells whether they are: others are read where they lie.
    """

    rows: int
    bytes: int
    compressed: bool = False


def read_claims(body: bytes | memoryview) -> Iterator[Claim]:
    """The claims of the batches in their order; stops at the end of the stream.

    :raises ValueError: when a header is damaged.
    """
    messages = pa.ipc.MessageReader.open_stream(pa.py_buffer(body))
    for message in messages:
        try:
            claim = _claim(message.metadata.to_pybytes(), message.body)
        except struct.error as error:
            raise ValueError("the header of a message is damaged") from error
        if claim is not None:
            yield claim


def _claim(header: bytes, body: pa.Buffer | None) -> Claim | None:
    message = _number(header, 0, "<I")
    kind = _field(header, message, 1)
    content = _field(header, message, 2)
    if kind is None or content is None or header[kind] not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return None
    batch = _target(header, content)
    rows = 0
    if header[kind] == _DICTIONARY_BATCH:
        data = _field(header, batch, 1)
        if data is None:
            raise ValueError("a dictionary has no data")
        batch = _target(header, data)
    elif (length := _field(header, batch, 0)) is not None:
        rows = _number(header, length, "<q")
    buffers = _field(header, batch, 2)
    if body is None or buffers is None or _field(header, batch, 3) is None:
        return Claim(rows=rows, bytes=0 if body is None else body.size)
    vector = _target(header, buffers)
    count = _number(header, vector, "<I")
    unpacked = sum(_unpacked(header, vector + 4 + 16 * index, body) for index in range(count))
    return Claim(rows=rows, bytes=unpacked, compressed=True)


def _unpacked(header: bytes, place: int, body: pa.Buffer) -> int:
    """The bytes of one buffer: its first eight bytes are their number, or -1 when it is not compressed."""
    offset, length = _number(header, place, "<q"), _number(header, place + 8, "<q")
    if length < 8:
        return 0
    claimed: int = _number(memoryview(body), offset, "<q")
    return length if claimed < 0 else claimed


def _field(header: bytes, table: int, index: int) -> int | None:
    """Where a field of a table lies; None when it is left out."""
    slots = table - _number(header, table, "<i")
    if 4 + 2 * index >= _number(header, slots, "<H"):
        return None
    distance = _number(header, slots + 4 + 2 * index, "<H")
    return table + distance if distance else None


def _target(header: bytes, place: int) -> int:
    return place + _number(header, place, "<I")


def _number(data: bytes | memoryview, place: int, form: str) -> int:
    if place < 0:
        raise ValueError("the header of a message points before its beginning")
    number: int = struct.unpack_from(form, data, place)[0]
    return number

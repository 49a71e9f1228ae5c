"""Values as JSON bytes (pure: no Django)."""

from __future__ import annotations

import base64
from datetime import timedelta

import orjson

from catalog.errors import InvalidInput


def json_bytes(value: object) -> bytes:
    """JSON; NaN and infinity as null, what JSON does not know as text.

    :raises InvalidInput: on a value that is nested deeper than is written here.
    """
    try:
        return orjson.dumps(value, default=_as_text)
    except orjson.JSONEncodeError as error:
        raise InvalidInput(f"a value cannot be given back as JSON: {error}") from error


def lasting_json_bytes(value: object) -> bytes:
    """:func:`json_bytes` to be kept: in as much memory as it is long, where orjson's own holds thousands of bytes."""
    return bytes(memoryview(json_bytes(value)))


def _as_text(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)

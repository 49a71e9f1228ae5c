"""Request bodies: bounded in size, strict in form."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import orjson
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from catalog.errors import InvalidInput, TooLarge
from serving.wire.media_types import JSON

MAX_JSON_BYTES = 64 * 1024**2
_PIECE = 1024**2


class JsonBody(BaseParser):
    """A JSON object. Integers of up to 64 bits are exact; NaN, lone surrogates and absurd depth are refused."""

    media_type = JSON

    def parse(  # the framework's signature
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = read_body(stream, parser_context, MAX_JSON_BYTES, "send Arrow or Parquet, or several requests")
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InvalidInput(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise InvalidInput("the body is JSON but not an object")
        return value


def read_body(stream: IO[Any], context: Mapping[str, Any] | None, limit: int, way_out: str) -> bytes:
    """The whole body.

    :raises TooLarge: beyond ``limit`` bytes, telling ``way_out``.
    """
    declared = declared_length(context)
    body: bytes = b"" if declared > limit else stream.read(limit + 1)
    if declared > limit or len(body) > limit:
        raise _too_long(declared, limit, way_out)
    return body


def read_mapped_body(
    stream: IO[Any], context: Mapping[str, Any] | None, limit: int, way_out: str, *, folder: Path
) -> memoryview:
    """The whole body, which lies in a file of ``folder`` that has no name and goes with it.

    :raises TooLarge: beyond ``limit`` bytes, telling ``way_out``.
    """
    declared = declared_length(context)
    if declared > limit:
        raise _too_long(declared, limit, way_out)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder) as file:
        length = 0
        while piece := stream.read(_PIECE):
            length += file.write(piece)
            if length > limit:
                raise _too_long(declared, limit, way_out)
        file.flush()
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if length else b"")


def declared_length(context: Mapping[str, Any] | None) -> int:
    """The length that the request declares, 0 where it does not.

    :raises UnsupportedMediaType: when the body is encoded.
    """
    if context is None or "request" not in context:
        return 0
    headers = context["request"].META
    encoding = headers.get("HTTP_CONTENT_ENCODING", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(
            encoding,
            f"the body has the Content-Encoding {encoding!r}, and this call takes bodies without one; Arrow and "
            "Parquet may be compressed inside",
        )
    return int(headers.get("CONTENT_LENGTH") or 0)


def _too_long(declared: int, limit: int, way_out: str) -> TooLarge:
    return TooLarge(
        f"the body has more than {limit} bytes; {way_out}", details={"bytes": declared or None, "limit": limit}
    )

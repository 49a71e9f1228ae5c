"""Request bodies: bounded in size, strict in form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
import pyarrow as pa
from rest_framework.parsers import BaseParser

from catalog.errors import InvalidInput, TooLarge
from serving.wire.incoming import read_arrow_stream, read_parquet
from serving.wire.outgoing import ARROW_STREAM, JSON, PARQUET

MAX_JSON_BYTES = 64 * 1024**2
MAX_TABLE_BODY_BYTES = 256 * 1024**2


class JsonBody(BaseParser):
    """A JSON object. Integers of up to 64 bits are exact; NaN, lone surrogates and absurd depth are refused."""

    media_type = JSON

    def parse(  # the framework's signature
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = _read(stream, parser_context, MAX_JSON_BYTES, "send Arrow or Parquet, or several requests")
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InvalidInput(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise InvalidInput("the body is JSON but not an object")
        return value


class ArrowBody(BaseParser):
    """An Arrow IPC stream."""

    media_type = ARROW_STREAM

    def parse(  # the framework's signature
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        return read_arrow_stream(_read(stream, parser_context, MAX_TABLE_BODY_BYTES, "send several requests"))


class ParquetBody(BaseParser):
    """A Parquet file."""

    media_type = PARQUET

    def parse(  # the framework's signature
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        return read_parquet(_read(stream, parser_context, MAX_TABLE_BODY_BYTES, "send several requests"))


def _read(stream: IO[Any], context: Mapping[str, Any] | None, limit: int, way_out: str) -> bytes:
    declared = 0
    if context is not None and "request" in context:
        declared = int(context["request"].META.get("CONTENT_LENGTH") or 0)
    body: bytes = b"" if declared > limit else stream.read(limit + 1)
    if declared > limit or len(body) > limit:
        raise TooLarge(
            f"the body has more than {limit} bytes; {way_out}", details={"bytes": declared or None, "limit": limit}
        )
    return body

"""Request bodies that are tables: bounded in size, strict in form, on disk when they are large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import pyarrow as pa
from rest_framework.parsers import BaseParser

from serving.api.body_parsers import declared_length, read_body, read_mapped_body
from serving.engine_limits import gathered_within_limits, memory_limit, most_in_memory, spill_path
from serving.wire.incoming import read_arrow_stream, read_parquet
from serving.wire.media_types import ARROW_STREAM, PARQUET

MAX_TABLE_BODY_BYTES = 256 * 1024**2


class ArrowBody(BaseParser):
    """An Arrow IPC stream."""

    media_type = ARROW_STREAM

    def parse(  # the framework's signature
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        return gathered_within_limits(
            read_arrow_stream(_body(stream, parser_context), most_unpacked=memory_limit() // 4)
        )


class ParquetBody(BaseParser):
    """A Parquet file."""

    media_type = PARQUET

    def parse(  # the framework's signature
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        return gathered_within_limits(read_parquet(_body(stream, parser_context)))


def _body(stream: IO[Any], context: Mapping[str, Any] | None) -> bytes | memoryview:
    """The body, on disk when it is large."""
    way_out = "send several requests"
    if 0 < declared_length(context) <= most_in_memory():
        return read_body(stream, context, MAX_TABLE_BODY_BYTES, way_out)
    return read_mapped_body(stream, context, MAX_TABLE_BODY_BYTES, way_out, folder=spill_path())

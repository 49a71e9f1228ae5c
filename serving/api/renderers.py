"""The media types that answers come in. Tables are streamed by the view; these name them for ``Accept``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer

from serving.wire.json_bytes import json_bytes
from serving.wire.media_types import ARROW_STREAM, CSV, JSON, PARQUET


class JsonAnswer(BaseRenderer):
    """JSON straight from the rows: integers exact, NaN and infinity as null."""

    media_type = JSON
    format = "json"
    charset: ClassVar[None] = None  # type: ignore[misc]  # JSON is UTF-8 and names no charset

    def render(  # the framework's signature
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> bytes:
        return b"" if data is None else json_bytes(data)


def json_answer(data: object) -> HttpResponse:
    """An answer that is JSON whatever was accepted, written at once."""
    return HttpResponse(json_bytes(data), content_type=JSON)


class ArrowAnswer(JsonAnswer):
    media_type = ARROW_STREAM
    format = "arrow"


class ParquetAnswer(JsonAnswer):
    media_type = PARQUET
    format = "parquet"


class CsvAnswer(JsonAnswer):
    media_type = CSV
    format = "csv"

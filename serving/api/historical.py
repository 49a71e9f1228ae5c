"""``features/historical``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import ClassVar

import pyarrow as pa
from deltalake.exceptions import DeltaError
from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request

from catalog.clock import now
from catalog.errors import InvalidInput, TooLarge, Unavailable
from serving.access_log import ReadFeatures, ReadKind
from serving.api import schemas
from serving.api.body_parsers import JsonBody
from serving.api.historical_request import HistoricalRequest, from_json, from_table
from serving.api.renderers import ArrowAnswer, CsvAnswer, JsonAnswer, ParquetAnswer
from serving.api.sending import sending, spooled
from serving.api.table_bodies import ArrowBody, ParquetBody
from serving.api.value_views import ValueViewSet
from serving.historical import HistoricalStream, stream_historical
from serving.resolving import resolve_for_reading
from serving.wire.media_types import ARROW_STREAM, CSV, JSON, PARQUET
from serving.wire.outgoing import arrow_stream, csv_file, json_document, parquet_file
from serving.wire.whole import MeasuredArrow, WholeAnswer

logger = logging.getLogger(__name__)

_TABLES: dict[str, Callable[[Iterable[pa.Table]], Iterator[bytes]]] = {
    ARROW_STREAM: arrow_stream,
    PARQUET: parquet_file,
    CSV: csv_file,
}
# What Arrow says of a column that a format cannot hold.
_NO_FORM = (pa.ArrowException, NotImplementedError, OSError)
_WITH_TABLE_BODY = "For an Arrow or Parquet body; a JSON body has its own field."


@extend_schema_view(
    create=extend_schema(
        operation_id="features_historical",
        summary="The values of features at the time of each entity row",
        description="Point-in-time join: for every entity row the newest value that was true at its time.",
        parameters=[
            OpenApiParameter("features", str, description=f"References separated by commas. {_WITH_TABLE_BODY}"),
            OpenApiParameter("service", str, description=f"Name of a feature service. {_WITH_TABLE_BODY}"),
            OpenApiParameter("start", str, description=f"Start of the time range. {_WITH_TABLE_BODY}"),
            OpenApiParameter("end", str, description=f"End of the time range. {_WITH_TABLE_BODY}"),
            OpenApiParameter("as_known_at", str, description=f"An instant or `event_time`. {_WITH_TABLE_BODY}"),
            OpenApiParameter("key_map", str, description=f"The key map as JSON text. {_WITH_TABLE_BODY}"),
        ],
        examples=[
            OpenApiExample(
                "two entity rows",
                {
                    "entity_df": [
                        {"entity_id": 15634602, "event_timestamp": "2025-06-01T00:00:00Z"},
                        {"entity_id": 15619304, "event_timestamp": "2025-07-01T00:00:00Z"},
                    ],
                    "features": ["balance_mean", "credit_score_mean"],
                    "timestamp_range": {"start": "2025-01-01", "end": "2025-12-31"},
                },
                request_only=True,
                media_type=JSON,
            ),
            OpenApiExample(
                "one entity twice, under aliases",
                {
                    "entity_df": [{"payer": 15634602, "payee": 15619304, "event_timestamp": "2025-06-01T00:00:00Z"}],
                    "key_map": {"payer": {"customer_id": "payer"}, "payee": {"customer_id": "payee"}},
                    "features": ["payer.balance_mean", "payee.balance_mean"],
                },
                request_only=True,
                media_type=JSON,
            ),
        ],
        request={
            JSON: schemas.HistoricalRequest,
            ARROW_STREAM: OpenApiTypes.BINARY,
            PARQUET: OpenApiTypes.BINARY,
        },
        responses={
            (200, JSON): schemas.HistoricalRows,
            (200, ARROW_STREAM): OpenApiTypes.BINARY,
            (200, PARQUET): OpenApiTypes.BINARY,
            (200, CSV): OpenApiTypes.STR,
            **{(status, JSON): shape for status, shape in schemas.ERRORS.items()},
            (404, JSON): schemas.ErrorAnswer,
            (413, JSON): schemas.ErrorAnswer,
        },
    )
)
class HistoricalViewSet(ValueViewSet):
    kind = ReadKind.HISTORICAL
    reading_actions: ClassVar = frozenset({"create"})
    parser_classes = [JsonBody, ArrowBody, ParquetBody]
    renderer_classes = [JsonAnswer, ArrowAnswer, ParquetAnswer, CsvAnswer]

    def create(self, request: Request) -> StreamingHttpResponse:
        asked = self._asked(request)
        resolved = resolve_for_reading(
            user=request.user, features=asked.features, service=asked.service, key_map=asked.key_map
        )
        self.note_read(ReadFeatures.of(resolved), entities=asked.frame.count)
        media_type = request.accepted_renderer.media_type
        if media_type == JSON:
            _check_json_rows(asked.frame.count)
        stream = stream_historical(
            user=request.user,
            frame=asked.frame,
            resolved=resolved,
            time_range=asked.time_range,
            known_at=asked.known_at,
            at=now(),
            key_map=asked.key_map,
        )
        response = sending(_whole(stream, media_type), media_type)
        response.headers["X-Row-Count"] = str(asked.frame.count)
        if stream.masked:
            # How many; JSON, Arrow and Parquet name them in the answer itself.
            response.headers["X-Masked-Columns"] = str(len(stream.masked))
        return response

    def _asked(self, request: Request) -> HistoricalRequest:
        if isinstance(request.data, pa.Table):
            return from_table(request.data, dict(request.query_params.lists()))
        return from_json(self.json_object(request))


def _check_json_rows(count: int) -> None:
    limit = settings.FEATURESTORE.serving.max_rows_json
    if count > limit:
        raise TooLarge(
            f"{count} rows are more than the {limit} that a JSON answer holds; ask for {ARROW_STREAM} or {PARQUET} by "
            "the Accept header, or use the Python SDK, which does",
            details={"rows": count, "limit": limit, "accept": [ARROW_STREAM, PARQUET]},
        )


def _whole(stream: HistoricalStream, media_type: str) -> WholeAnswer:
    """The answer with its length: what fails is told as an error, and nobody takes a part of it for the whole."""
    if media_type == JSON:
        features = pa.concat_tables(_worked_out(stream.slices))
        return spooled(json_document(frame=stream.frame, features=features, masked=stream.masked))
    tables = _worked_out(stream.tables())
    first = next(tables)
    if media_type == ARROW_STREAM and first.num_rows == stream.frame.count:
        return _measured(first)
    return spooled(_given_back(_TABLES[media_type](chain([first], tables))))


def _worked_out(parts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same parts; what fails here is the history, not what was sent."""
    try:
        yield from parts
    except (pa.ArrowException, DeltaError, OSError) as error:
        logger.exception("a history could not be read")
        raise Unavailable(f"a history cannot be read at the moment: {error}") from error


def _measured(table: pa.Table) -> MeasuredArrow:
    try:
        return MeasuredArrow(table)
    except _NO_FORM as error:
        raise InvalidInput(_cannot_be_given_back(error)) from error


def _given_back(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces; what fails here is a column that the format has no form for."""
    try:
        yield from pieces
    except _NO_FORM as error:
        raise InvalidInput(_cannot_be_given_back(error)) from error


def _cannot_be_given_back(error: Exception) -> str:
    return f"a column of entity_df cannot be given back in this format: {error}"

"""``datasets``: training datasets, asked for, followed, downloaded and verified."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import pyarrow as pa
from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.access import Capability
from catalog.api.filtering import StrictFilterBackend, refuse_unknown_parameters
from serving.access_log import ReadFeatures, ReadKind
from serving.api import schemas
from serving.api.body_parsers import JsonBody
from serving.api.dataset_request import dataset_from_json, dataset_from_table, split_rule
from serving.api.dataset_serializers import (
    DatasetDetailSerializer,
    DatasetReferenceSerializer,
    DatasetRequestBody,
    DatasetSerializer,
    VerificationSerializer,
)
from serving.api.renderers import JsonAnswer, ParquetAnswer
from serving.api.sending import sending, spooled
from serving.api.table_bodies import ArrowBody, ParquetBody
from serving.api.value_views import ValueViewSet
from serving.dataset_filters import DatasetFilter
from serving.datasets.archiving import archive_dataset
from serving.datasets.describing import describe_dataset
from serving.datasets.opening import (
    find_dataset,
    open_result,
    open_split,
    read_features,
    refuse_closed,
    refuse_without_values,
)
from serving.datasets.requesting import request_dataset
from serving.datasets.verifying import verify_dataset
from serving.models import TrainingDataset
from serving.tasks import wake_builder
from serving.wire.media_types import ARROW_STREAM, JSON, PARQUET
from serving.wire.outgoing import parquet_file

_WITH_TABLE_BODY = "For an Arrow or Parquet body; a JSON body has its own field."
_ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Id of the training dataset.")


def _query(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, description=f"{description} {_WITH_TABLE_BODY}")


@extend_schema_view(
    list=extend_schema(
        operation_id="list_datasets",
        summary="Training datasets, newest first",
        description="Archived ones are left out unless `archived=true` asks for these alone.",
        responses=DatasetSerializer(many=True),
    ),
    retrieve=extend_schema(
        operation_id="get_dataset",
        summary="One training dataset with everything that is pinned",
        description="With the Python that makes it again, and its lineage.",
        parameters=[_ID],
        responses=DatasetDetailSerializer,
    ),
    destroy=extend_schema(
        operation_id="archive_dataset",
        summary="Archive a training dataset",
        description="It stays as a record and gives no values any more. For who made it, and with edit_catalog.",
        parameters=[_ID],
        responses={204: None},
    ),
)
class DatasetViewSet(ValueViewSet, GenericAPIView[TrainingDataset]):
    """A training dataset is the stored result of a historical retrieval, with everything pinned."""

    kind = ReadKind.HISTORICAL
    reading_actions: ClassVar = frozenset({"verify"})
    required_capability: ClassVar = {
        None: Capability.SEE_METADATA,
        "list": Capability.SEE_METADATA,
        "retrieve": Capability.SEE_METADATA,
        "create": Capability.READ_VALUES,
        "download": Capability.READ_VALUES,
        "verify": Capability.READ_VALUES,
        "destroy": Capability.READ_VALUES,
    }
    parser_classes = [JsonBody, ArrowBody, ParquetBody]
    renderer_classes = [JsonAnswer]
    serializer_class = DatasetDetailSerializer
    filterset_class = DatasetFilter
    filter_backends = [StrictFilterBackend]
    queryset = TrainingDataset.objects.none()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # The other calls read no values: building, which does, leaves a record of its own.
        self._admitted = self._admitted and self.action in ("download", "verify")

    def get_renderers(self) -> list[BaseRenderer]:
        return [JsonAnswer(), ParquetAnswer()] if self.action == "download" else [JsonAnswer()]

    def get_queryset(self) -> QuerySet[TrainingDataset]:
        return TrainingDataset.objects.visible_to(self.request.user).order_by("-created_at", "-id")

    def list(self, request: Request) -> Response:  # noqa: ARG002  (the framework's signature)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset().defer("verification", "columns")))
        serializer = DatasetSerializer(page or [], many=True, context=self.get_serializer_context())
        return self.get_paginated_response(serializer.data)

    @extend_schema(
        operation_id="create_dataset",
        summary="Ask for a training dataset",
        description="Pins everything now and builds the dataset in the background; follow its state at `url`.",
        parameters=[
            _query("name", "What it is called."),
            _query("description", "What it is for."),
            _query("features", "References separated by commas."),
            _query("service", "Name of a feature service."),
            _query("start", "Start of the time range."),
            _query("end", "End of the time range."),
            _query("as_known_at", "An instant or `event_time`; by default now."),
            _query("key_map", "The key map as JSON text."),
            _query("at", "The time of entity rows without one; by default now."),
            _query("table_versions", "`group:version` separated by commas."),
        ],
        request={JSON: DatasetRequestBody, ARROW_STREAM: OpenApiTypes.BINARY, PARQUET: OpenApiTypes.BINARY},
        responses={202: DatasetReferenceSerializer, **schemas.ERRORS, 404: schemas.ErrorAnswer},
        filters=False,
    )
    def create(self, request: Request) -> Response:
        asked = (
            dataset_from_table(request.data, dict(request.query_params.lists()))
            if isinstance(request.data, pa.Table)
            else dataset_from_json(self.json_object(request))
        )
        dataset = request_dataset(asked, user=request.user, wake=wake_builder)
        answer = DatasetReferenceSerializer(dataset, context=self.get_serializer_context()).data
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": answer["url"]})

    def retrieve(self, request: Request, pk: UUID) -> Response:
        refuse_unknown_parameters(request, ())
        dataset = find_dataset(pk, user=request.user)
        base_url = request.build_absolute_uri("/").rstrip("/")
        told = describe_dataset(dataset, base_url=base_url, user=request.user)
        dataset.snippet, dataset.lineage = told.snippet, told.lineage  # type: ignore[attr-defined]  # for the serializer
        return Response(DatasetDetailSerializer(dataset, context=self.get_serializer_context()).data)

    @extend_schema(
        operation_id="download_dataset",
        summary="The values of a training dataset, as Parquet",
        description=(
            "Without parameters the stored file. With `split` the rows of one part, with `seed`, `fractions` or `by` "
            "alone all rows with a column `split`. The same parameters give the same parts, always."
        ),
        parameters=[
            _ID,
            OpenApiParameter("split", str, description="Name of a part, such as train."),
            OpenApiParameter("fractions", str, description="Parts and their shares; by default train:0.8,test:0.2."),
            OpenApiParameter("seed", int, description="Another seed gives other parts; by default 0."),
            OpenApiParameter(
                "by", str, enum=["entity", "row"], description="What is kept together; by default entity."
            ),
        ],
        responses={
            (200, PARQUET): OpenApiTypes.BINARY,
            **{(code, JSON): shape for code, shape in schemas.ERRORS.items()},
            (404, JSON): schemas.ErrorAnswer,
            (409, JSON): schemas.ErrorAnswer,
        },
        filters=False,
    )
    def download(self, request: Request, pk: UUID) -> HttpResponseBase:
        dataset = find_dataset(pk, user=request.user)
        rule = split_rule(dict(request.query_params.lists()))
        part = request.query_params.get("split")
        self.note_read(ReadFeatures.of(read_features(dataset)), entities=dataset.row_count or 0)
        refuse_without_values(dataset)
        refuse_closed(dataset, user=request.user)
        name = f"{slugify(dataset.name) or 'dataset'}-{str(dataset.pk)[:8]}{f'-{part}' if part else ''}.parquet"
        response: FileResponse | StreamingHttpResponse
        if rule is None:
            response = FileResponse(open_result(dataset), content_type=PARQUET)
        else:
            response = sending(spooled(parquet_file([open_split(dataset, rule=rule, part=part)])), PARQUET)
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["X-Content-Hash"] = dataset.content_hash
        return response

    @extend_schema(
        operation_id="verify_dataset",
        summary="Make a training dataset again from its pins and compare every cell",
        parameters=[_ID],
        request=None,
        responses={
            200: VerificationSerializer,
            **schemas.ERRORS,
            404: schemas.ErrorAnswer,
            409: schemas.ErrorAnswer,
        },
        filters=False,
    )
    def verify(self, request: Request, pk: UUID) -> Response:
        refuse_unknown_parameters(request, ())
        dataset = find_dataset(pk, user=request.user)
        self.note_read(ReadFeatures.of(read_features(dataset)), entities=dataset.row_count or 0)
        refuse_without_values(dataset)
        refuse_closed(dataset, user=request.user)
        return Response(VerificationSerializer(verify_dataset(dataset)).data)

    def destroy(self, request: Request, pk: UUID) -> Response:
        refuse_unknown_parameters(request, ())
        archive_dataset(find_dataset(pk, user=request.user), user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

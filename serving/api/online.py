"""``features/{reference}/entity/{entity_id}`` and ``features/batch``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

from django.http import HttpResponse
from django.utils.module_loading import import_string
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.clock import now
from catalog.errors import InvalidInput, UnknownEntity
from serving.access_log import ReadKind
from serving.api import schemas
from serving.api.plain_calls import PlainCallViewSet
from serving.api.renderers import ArrowAnswer, JsonAnswer, json_answer
from serving.entity_rows import EntityRow, name_entities, read_entity
from serving.kept_reads import VALUES, VECTORS, VECTORS_WITH_METADATA, KeptRead
from serving.online_answers import feature_columns, provenance
from serving.online_plan import OnlinePlan, plan_online_read
from serving.online_reads import OnlineAnswer, ValueStatus, read_online
from serving.wire.media_types import ARROW_STREAM, JSON

ROWS, COLUMNS = "rows", "columns"
_BATCH_FIELDS = ("features", "service", "include_metadata", "form")
Answer = TypeVar("Answer")
_VERSION = OpenApiParameter("version", str, description="Another way to write `@version` in the reference.")


class OnlineValueViewSet(PlainCallViewSet):
    kind = ReadKind.ONLINE
    renderer_classes = [JsonAnswer, ArrowAnswer]
    reading_actions: ClassVar = frozenset({"batch"})

    @extend_schema(
        operation_id="feature_value",
        summary="The newest value of one feature for one entity",
        description="An entity without a value row is 404; `status` says why a value is what it is.",
        parameters=[_VERSION],
        responses={200: schemas.FeatureValueAnswer, **schemas.ERRORS, 404: schemas.ErrorAnswer},
    )
    def by_id(self, request: Request, reference: str, entity_id: str) -> Response:
        plan = self._one_feature(request, reference)
        row = read_entity(entity_id, shapes=plan.shapes, place="the entity id in the path")
        return self._single(plan, row)

    @extend_schema(
        operation_id="feature_value_by_join_keys",
        summary="The newest value of one feature for the entity with these join keys",
        description="Give every join key of the feature's entity as a query parameter of its name.",
        parameters=[_VERSION],
        responses={200: schemas.FeatureValueAnswer, **schemas.ERRORS, 404: schemas.ErrorAnswer},
    )
    def by_keys(self, request: Request, reference: str) -> Response:
        plan = self._one_feature(request, reference)
        given = dict(request.query_params.lists())
        given.pop("version", None)
        twice = [name for name, values in given.items() if len(values) > 1]
        if twice:
            raise InvalidInput(f"{', '.join(twice)} is given twice", details={"fields": twice})
        asked = name_entities({name: values[0] for name, values in given.items()}, shapes=plan.shapes, other_fields=())
        if not asked.single:
            raise InvalidInput("this call reads one entity; features/batch reads several")
        return self._single(plan, asked.rows[0])

    @extend_schema(
        operation_id="features_batch",
        summary="The newest values of several features for one or several entities",
        description="Name the entity by `entity_id`, several by `entity_ids` or `entities`, or one by its join keys. "
        "`form: columns` answers a list per feature instead of an object per entity; `Accept: "
        "application/vnd.apache.arrow.stream` a table.",
        request=schemas.BatchRequest,
        examples=[
            OpenApiExample(
                "one entity",
                {"entity_id": 15634602, "features": ["balance_mean", "credit_score_mean"], "include_metadata": True},
                request_only=True,
            ),
            OpenApiExample(
                "several entities", {"entity_ids": [15634602, 15619304], "service": "churn_model"}, request_only=True
            ),
            OpenApiExample(
                "a column per feature",
                {"entity_ids": [15634602, 15619304], "features": ["balance_mean"], "form": "columns"},
                request_only=True,
            ),
        ],
        responses={
            (200, JSON): schemas.BATCH_ANSWER,
            (200, ARROW_STREAM): OpenApiTypes.BINARY,
            **{(status, JSON): shape for status, shape in schemas.ERRORS.items()},
            (404, JSON): schemas.ErrorAnswer,
            (413, JSON): schemas.ErrorAnswer,
        },
    )
    def batch(self, request: Request) -> HttpResponse:
        body = self.json_object(request)
        include_metadata, form = _include_metadata(body), _form(body)
        plan = plan_online_read(user=request.user, features=body.get("features"), service=body.get("service"))
        asked = name_entities(body, shapes=plan.shapes, other_fields=_BATCH_FIELDS)
        is_table = isinstance(request.accepted_renderer, ArrowAnswer)
        if form == ROWS and not is_table:
            written = VECTORS_WITH_METADATA if include_metadata else VECTORS
            vectors = self._answers(KeptRead(plan=plan, asked=asked, form=written, at=now()))
            return HttpResponse(vectors[0] if asked.single else _results(vectors), content_type=JSON)
        answer = OnlineAnswer(plan, self._answers(KeptRead(plan=plan, asked=asked, form=VALUES, at=now())))
        if is_table:
            # Only tables need Arrow, which takes time and memory to load.
            table = import_string("serving.wire.online_table.online_arrow")(answer, include_metadata=include_metadata)
            return HttpResponse(table, content_type=ARROW_STREAM)
        return json_answer(feature_columns(answer, include_metadata=include_metadata))

    def _answers(self, read: KeptRead[Answer]) -> list[Answer]:
        self.note_read(read.plan.read, entities=read.count)
        return read.answers()

    def _one_feature(self, request: Request, reference: str) -> OnlinePlan:
        versions = request.query_params.getlist("version")
        if len(versions) > 1 or (versions and "@" in reference):
            raise InvalidInput(
                "the version is given twice; write it in the reference or as ?version=", details={"field": "version"}
            )
        text = f"{reference}@{versions[0]}" if versions else reference
        return plan_online_read(user=request.user, features=[text])

    def _single(self, plan: OnlinePlan, row: EntityRow) -> Response:
        self.note_read(plan.read, entities=1)
        answer = read_online(plan=plan, entity_rows=[row], at=now())
        [value] = answer.entities[0].told(plan)
        version = plan.features[0].version
        if value.status is ValueStatus.NOT_FOUND and value.value is None:
            raise UnknownEntity(
                f"{version.feature.name} has no value for {version.feature.entity.name} {row.shown!r}"
                + (f": {version.source_problem}" if version.source_problem else ""),
                details={"entity_id": row.shown, "feature_id": version.public_id},
            )
        return Response(
            {
                "entity_id": row.shown,
                "feature": version.feature.name,
                "feature_id": version.public_id,
                "version": version.number,
                "value": value.value,
                **provenance(value),
            }
        )


def _results(vectors: Sequence[bytes]) -> bytes:
    return b'{"results":[' + b",".join(vectors) + b"]}"


def _include_metadata(body: Mapping[str, object]) -> bool:
    wanted = body.get("include_metadata", False)
    if not isinstance(wanted, bool):
        raise InvalidInput("include_metadata is true or false", details={"field": "include_metadata"})
    return wanted


def _form(body: Mapping[str, object]) -> str:
    form = body.get("form", ROWS)
    if form not in (ROWS, COLUMNS):
        raise InvalidInput(f"form is {form!r}; write {ROWS} or {COLUMNS}", details={"field": "form"})
    return str(form)

"""``features/{reference}/entity/{entity_id}`` and ``features/batch``."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.clock import now
from catalog.errors import InvalidInput, UnknownEntity
from catalog.references import ResolvedFeature
from serving.access_log import ReadKind
from serving.api import schemas
from serving.api.value_views import ValueViewSet
from serving.entity_rows import EntityRow, read_entities, read_entity
from serving.instants import iso_text
from serving.online_reads import (
    EntityAnswer,
    OnlineAnswer,
    OnlineValue,
    ValueStatus,
    entity_shapes,
    read_online,
)
from serving.resolving import Resolved, resolve_for_reading

_BATCH_FIELDS = ("features", "service", "include_metadata")
_VERSION = OpenApiParameter("version", str, description="Another way to write `@version` in the reference.")


class OnlineValueViewSet(ValueViewSet):
    kind = ReadKind.ONLINE
    reading_actions: ClassVar = frozenset({"batch"})

    @extend_schema(
        operation_id="feature_value",
        summary="The newest value of one feature for one entity",
        description="An entity without a value row is 404; `status` says why a value is what it is.",
        parameters=[_VERSION],
        responses={200: schemas.FeatureValueAnswer, **schemas.ERRORS, 404: schemas.ErrorAnswer},
    )
    def by_id(self, request: Request, reference: str, entity_id: str) -> Response:
        resolved = self._one_feature(request, reference)
        row = read_entity(entity_id, shapes=entity_shapes(resolved), place="the entity id in the path")
        return self._single(request, resolved, row)

    @extend_schema(
        operation_id="feature_value_by_join_keys",
        summary="The newest value of one feature for the entity with these join keys",
        description="Give every join key of the feature's entity as a query parameter of its name.",
        parameters=[_VERSION],
        responses={200: schemas.FeatureValueAnswer, **schemas.ERRORS, 404: schemas.ErrorAnswer},
    )
    def by_keys(self, request: Request, reference: str) -> Response:
        resolved = self._one_feature(request, reference)
        given = dict(request.query_params.lists())
        given.pop("version", None)
        twice = [name for name, values in given.items() if len(values) > 1]
        if twice:
            raise InvalidInput(f"{', '.join(twice)} is given twice", details={"fields": twice})
        asked = read_entities(
            {name: values[0] for name, values in given.items()}, shapes=entity_shapes(resolved), other_fields=()
        )
        if not asked.single:
            raise InvalidInput("this call reads one entity; features/batch reads several")
        return self._single(request, resolved, asked.rows[0])

    @extend_schema(
        operation_id="features_batch",
        summary="The newest values of several features for one or several entities",
        description="Name the entity by `entity_id`, several by `entity_ids` or `entities`, or one by its join keys.",
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
        ],
        responses={200: schemas.BATCH_ANSWER, **schemas.ERRORS, 404: schemas.ErrorAnswer, 413: schemas.ErrorAnswer},
    )
    def batch(self, request: Request) -> Response:
        body = self.json_object(request)
        include_metadata = body.get("include_metadata", False)
        if not isinstance(include_metadata, bool):
            raise InvalidInput("include_metadata is true or false", details={"field": "include_metadata"})
        resolved = resolve_for_reading(user=request.user, features=body.get("features"), service=body.get("service"))
        asked = read_entities(body, shapes=entity_shapes(resolved), other_fields=_BATCH_FIELDS)
        self.note_read(resolved, entities=len(asked.rows))
        answer = read_online(user=request.user, entity_rows=asked.rows, resolved=resolved, at=now())
        results = [_vector(answer, entity, include_metadata=include_metadata) for entity in answer.entities]
        return Response(results[0] if asked.single else {"results": results})

    def _one_feature(self, request: Request, reference: str) -> Resolved:
        versions = request.query_params.getlist("version")
        if len(versions) > 1 or (versions and "@" in reference):
            raise InvalidInput(
                "the version is given twice; write it in the reference or as ?version=", details={"field": "version"}
            )
        text = f"{reference}@{versions[0]}" if versions else reference
        return resolve_for_reading(user=request.user, features=[text])

    def _single(self, request: Request, resolved: Resolved, row: EntityRow) -> Response:
        self.note_read(resolved, entities=1)
        answer = read_online(user=request.user, entity_rows=[row], resolved=resolved, at=now())
        item, value = resolved[0], answer.entities[0].values[0]
        version = item.version
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
                **_provenance(value),
            }
        )


def _vector(answer: OnlineAnswer, entity: EntityAnswer, *, include_metadata: bool) -> dict[str, Any]:
    pairs = list(zip(answer.features, entity.values, strict=True))
    vector: dict[str, Any] = {
        "entity_id": entity.entity.shown,
        "features": {item.reference: value.value for item, value in pairs},
    }
    if include_metadata:
        vector["metadata"] = {item.reference: _metadata(item, value) for item, value in pairs}
    return vector


def _metadata(item: ResolvedFeature, value: OnlineValue) -> dict[str, Any]:
    return {"feature_id": item.version.public_id, "version": item.version.number, **_provenance(value)}


def _provenance(value: OnlineValue) -> dict[str, Any]:
    return {
        "status": value.status.value,
        "event_timestamp": None if value.event_us is None else iso_text(value.event_us),
        "created_timestamp": None if value.created_us is None else iso_text(value.created_us),
    }

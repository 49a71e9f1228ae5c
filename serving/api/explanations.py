"""``features/{reference}/entity/{entity_id}/explain``: why a value is what it is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.module_loading import import_string
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from catalog.clock import now
from catalog.errors import InvalidInput
from serving.access_log import ReadFeatures, ReadKind
from serving.api import schemas
from serving.api.value_views import ValueViewSet
from serving.entity_rows import EntityRow, name_entities, read_entity
from serving.explanation import Candidate, Rule
from serving.instants import iso_text, parse_instant
from serving.models.fields import to_microseconds
from serving.resolving import Resolved, entity_shapes, resolve_for_reading

if TYPE_CHECKING:
    from serving.explaining import ExplainedValue

MOST_ROWS = 100
_OWN = ("at", "as_known_at", "version")
_PARAMETERS = [
    OpenApiParameter("at", str, description="An instant, or a date for its end; by default now."),
    OpenApiParameter("as_known_at", str, description="Only what the store had learned by then counts."),
    OpenApiParameter("version", str, description="Another way to write `@version` in the reference."),
]


class ExplainedRowSerializer(serializers.Serializer[Any]):
    """One value row of the entity."""

    value = schemas.AnyValue(allow_null=True)
    event_timestamp = serializers.DateTimeField()
    created_timestamp = serializers.DateTimeField(allow_null=True)
    arrival = serializers.IntegerField(allow_null=True, help_text="The order of arrival; null: before all others.")
    run_id = serializers.CharField(help_text="The run that wrote it; empty where another program did.")
    run_url = serializers.URLField(allow_null=True)


class BeatenRowSerializer(ExplainedRowSerializer):
    """A value row that does not answer."""

    rule = serializers.ChoiceField(choices=[(rule.value, rule.value) for rule in Rule])


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why a value is what it is."""

    entity_id = schemas.EntityId()
    feature = serializers.CharField()
    feature_id = serializers.CharField()
    version = serializers.CharField()
    at = serializers.DateTimeField()
    as_known_at = serializers.DateTimeField(allow_null=True)
    max_age_seconds = serializers.FloatField(allow_null=True)
    value = schemas.AnyValue(allow_null=True)
    status = serializers.ChoiceField(choices=schemas.STATUSES)
    masked = serializers.BooleanField(help_text="Whether values are hidden from this reader.")
    table_version = serializers.IntegerField(
        allow_null=True, help_text="Of the history that was read; null: nothing was ever ingested."
    )
    winner = ExplainedRowSerializer(allow_null=True)
    beaten_count = serializers.IntegerField()
    beaten = BeatenRowSerializer(many=True, help_text="The hundred nearest to answering, those first.")


class ExplanationViewSet(ValueViewSet):
    kind = ReadKind.HISTORICAL

    @extend_schema(
        operation_id="explain_value",
        summary="Why one value of one entity is what it is",
        description="The value row that answers at an instant, and the rule by which it beat each other one.",
        parameters=_PARAMETERS,
        responses={200: ExplanationSerializer, **schemas.ERRORS, 404: schemas.ErrorAnswer},
    )
    def by_id(self, request: Request, reference: str, entity_id: str) -> Response:
        given = _given(request)
        unknown = sorted(set(given) - set(_OWN))
        if unknown:
            raise InvalidInput(
                f"{', '.join(unknown)} is not a parameter of this call; there are {', '.join(_OWN)}",
                details={"fields": unknown},
            )
        resolved = _one_feature(request, reference, given)
        row = read_entity(entity_id, shapes=entity_shapes(resolved), place="the entity id in the path")
        return self._explained(request, resolved, row, given)

    @extend_schema(
        operation_id="explain_value_by_join_keys",
        summary="Why one value of the entity with these join keys is what it is",
        description="Give every join key of the feature's entity as a query parameter of its name.",
        parameters=_PARAMETERS,
        responses={200: ExplanationSerializer, **schemas.ERRORS, 404: schemas.ErrorAnswer},
    )
    def by_keys(self, request: Request, reference: str) -> Response:
        given = _given(request)
        resolved = _one_feature(request, reference, given)
        keys = {name: value for name, value in given.items() if name not in _OWN}
        asked = name_entities(keys, shapes=entity_shapes(resolved), other_fields=())
        if not asked.single:
            raise InvalidInput("this call explains the value of one entity")
        return self._explained(request, resolved, asked.rows[0], given)

    def _explained(self, request: Request, resolved: Resolved, row: EntityRow, given: dict[str, str]) -> Response:
        self.note_read(ReadFeatures.of(resolved), entities=1)
        # Only explaining reads history, whose libraries take time and memory to load.
        explain_value = import_string("serving.explaining.explain_value")
        told = explain_value(
            user=request.user,
            feature=resolved[0],
            entity=row,
            at=_instant(given, "at") or now(),
            known_at=_instant(given, "as_known_at"),
        )
        return Response(explanation_json(told, request=request))


def explanation_json(told: ExplainedValue, *, request: Request | None) -> dict[str, Any]:
    """The explanation as JSON has it."""
    version = told.feature.version
    max_age = version.feature.group.max_age
    beaten = told.explanation.beaten
    winner = told.explanation.winner
    return {
        "entity_id": told.entity.shown,
        "feature": version.feature.name,
        "feature_id": version.public_id,
        "version": version.number,
        "at": iso_text(to_microseconds(told.at)),
        "as_known_at": None if told.known_at is None else iso_text(to_microseconds(told.known_at)),
        "max_age_seconds": None if max_age is None else max_age.total_seconds(),
        "value": told.value,
        "status": told.status.value,
        "masked": told.masked,
        "table_version": told.table_version,
        "winner": None if winner is None else _row(winner, request),
        "beaten_count": len(beaten),
        "beaten": [{**_row(one.candidate, request), "rule": one.rule.value} for one in beaten[:MOST_ROWS]],
    }


def _row(row: Candidate, request: Request | None) -> dict[str, Any]:
    return {
        "value": row.value,
        "event_timestamp": iso_text(row.event),
        "created_timestamp": None if row.created is None else iso_text(row.created),
        "arrival": row.arrival,
        "run_id": row.run_id,
        "run_url": _run_url(row.run_id, request),
    }


def _run_url(run_id: str, request: Request | None) -> str | None:
    """Where the run is told; None for rows that no run of this store wrote."""
    try:
        return reverse("run-detail", kwargs={"pk": UUID(run_id)}, request=request)
    except ValueError:
        return None


def _given(request: Request) -> dict[str, str]:
    lists = dict(request.query_params.lists())
    twice = [name for name, values in lists.items() if len(values) > 1]
    if twice:
        raise InvalidInput(f"{', '.join(twice)} is given twice", details={"fields": twice})
    return {name: values[0] for name, values in lists.items()}


def _one_feature(request: Request, reference: str, given: dict[str, str]) -> Resolved:
    version = given.get("version")
    if version is not None and "@" in reference:
        raise InvalidInput(
            "the version is given twice; write it in the reference or as ?version=", details={"field": "version"}
        )
    text = reference if version is None else f"{reference}@{version}"
    return resolve_for_reading(user=request.user, features=[text])


def _instant(given: dict[str, str], name: str) -> datetime | None:
    return parse_instant(given[name], name=name, bound="end") if name in given else None

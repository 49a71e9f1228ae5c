"""The shapes of requests and answers for the API's description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field, inline_serializer
from rest_framework import serializers

from serving.online_reads import ValueStatus

ANY_VALUE: dict[str, Any] = {
    "description": "number, text, boolean, ISO 8601 timestamp, list of numbers, or null",
    "nullable": True,
}
ENTITY_ID: dict[str, Any] = {
    "description": "As it was asked: a number or text, or an object with every join key by name",
    "oneOf": [{"type": "integer"}, {"type": "string"}, {"type": "object", "additionalProperties": True}],
}


@extend_schema_field(ANY_VALUE)
class AnyValue(serializers.JSONField):
    pass


@extend_schema_field(ENTITY_ID)
class EntityId(serializers.JSONField):
    pass


STATUSES = [(status.value, status.value) for status in ValueStatus]

ErrorAnswer = inline_serializer(
    "Error",
    {
        "error": inline_serializer(
            "ErrorBody",
            {
                "code": serializers.CharField(),
                "message": serializers.CharField(),
                "details": serializers.DictField(),
            },
        )
    },
)
ERRORS: dict[int, Any] = {400: ErrorAnswer, 401: ErrorAnswer, 403: ErrorAnswer, 429: ErrorAnswer, 503: ErrorAnswer}

FeatureValueAnswer = inline_serializer(
    "FeatureValue",
    {
        "entity_id": EntityId(),
        "feature": serializers.CharField(),
        "feature_id": serializers.CharField(),
        "version": serializers.CharField(),
        "value": AnyValue(),
        "status": serializers.ChoiceField(choices=STATUSES),
        "event_timestamp": serializers.DateTimeField(allow_null=True),
        "created_timestamp": serializers.DateTimeField(allow_null=True),
    },
)

_REFERENCES = serializers.ListField(
    child=serializers.CharField(),
    required=False,
    max_length=1000,
    help_text="Feature references `[group:]name[@version]`; this or `service`.",
)
_SERVICE = serializers.CharField(required=False, help_text="Name of a feature service; this or `features`.")

BatchRequest = inline_serializer(
    "BatchRequest",
    {
        "entity_id": EntityId(required=False, help_text="One entity; its join keys may stand here by name instead."),
        "entity_ids": serializers.ListField(child=EntityId(), required=False, max_length=10_000),
        "entities": serializers.ListField(
            child=serializers.DictField(), required=False, max_length=10_000, help_text="Join keys by name."
        ),
        "features": _REFERENCES,
        "service": _SERVICE,
        "include_metadata": serializers.BooleanField(required=False, default=False),
        "form": serializers.ChoiceField(choices=["rows", "columns"], required=False, default="rows"),
    },
)

_VALUE_METADATA = inline_serializer(
    "ValueMetadata",
    {
        "feature_id": serializers.CharField(),
        "version": serializers.CharField(),
        "status": serializers.ChoiceField(choices=STATUSES),
        "event_timestamp": serializers.DateTimeField(allow_null=True),
        "created_timestamp": serializers.DateTimeField(allow_null=True),
    },
)


class FeatureVector(serializers.Serializer[Any]):
    """The values of one entity."""

    entity_id = EntityId()
    features = serializers.DictField(child=AnyValue(), help_text="Value by reference, as asked.")
    metadata = serializers.DictField(required=False, child=_VALUE_METADATA)


class FeatureVectors(serializers.Serializer[Any]):
    """The values of several entities, in the order asked."""

    results = FeatureVector(many=True)


_COLUMN_METADATA = inline_serializer(
    "ColumnMetadata",
    {
        "feature_id": serializers.CharField(),
        "version": serializers.CharField(),
        "statuses": serializers.ListField(child=serializers.ChoiceField(choices=STATUSES)),
        "event_timestamps": serializers.ListField(child=serializers.DateTimeField(allow_null=True)),
        "created_timestamps": serializers.ListField(child=serializers.DateTimeField(allow_null=True)),
    },
)


class FeatureColumns(serializers.Serializer[Any]):
    """The values of one or several entities, a list per feature in the order of the entities."""

    entity_ids = serializers.ListField(child=EntityId())
    features = serializers.DictField(
        child=serializers.ListField(child=AnyValue()), help_text="Values by reference, as asked."
    )
    metadata = serializers.DictField(required=False, child=_COLUMN_METADATA)


BATCH_ANSWER = PolymorphicProxySerializer(
    component_name="BatchAnswer",
    serializers=[FeatureVector, FeatureVectors, FeatureColumns],
    resource_type_field_name=None,
)

HistoricalRequest = inline_serializer(
    "HistoricalRequest",
    {
        "entity_df": serializers.ListField(
            child=serializers.DictField(),
            help_text="Entity rows: entity_id or the join keys, event_timestamp (optional), and anything else.",
        ),
        "features": _REFERENCES,
        "service": _SERVICE,
        "timestamp_range": inline_serializer(
            "TimestampRange",
            {
                "start": serializers.CharField(required=False, allow_null=True),
                "end": serializers.CharField(required=False, allow_null=True),
            },
            required=False,
        ),
        "as_known_at": serializers.CharField(
            required=False,
            allow_null=True,
            help_text="An instant, or `event_time`: only what was known by then counts.",
        ),
        "key_map": serializers.DictField(
            child=serializers.DictField(child=serializers.CharField()),
            required=False,
            help_text="Per entity, or per alias of your choice, the column of `entity_df` that holds each join key. "
            "Features are asked for under an alias as `alias.reference`, and their columns are named so.",
        ),
    },
)
HistoricalRows = inline_serializer(
    "HistoricalRows",
    {
        "columns": serializers.ListField(child=serializers.CharField()),
        "row_count": serializers.IntegerField(),
        "masked": serializers.ListField(child=serializers.CharField(), help_text="Columns whose values are hidden."),
        "data": serializers.ListField(child=serializers.DictField(child=AnyValue())),
    },
)

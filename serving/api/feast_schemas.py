"""Shapes of the request and the answer of Feast's call, for the OpenAPI description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from serving.api.schemas import AnyValue

FEAST_STATUSES = ["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"]

OnlineFeaturesRequest = inline_serializer(
    "FeastOnlineFeatures",
    {
        "features": serializers.ListField(
            child=serializers.CharField(),
            required=False,
            max_length=1000,
            help_text="Feature references `group:name[@version]`; this or `feature_service`.",
        ),
        "feature_service": serializers.CharField(required=False, allow_null=True, help_text="Name of a service."),
        "entities": serializers.DictField(
            child=serializers.ListField(child=AnyValue(), max_length=10_000),
            help_text="A list of values per join key, all of one length.",
        ),
        "full_feature_names": serializers.BooleanField(
            required=False, default=False, help_text="Name features `group__name` in the answer."
        ),
        "include_feature_view_version_metadata": serializers.BooleanField(required=False, default=False),
    },
)


class FeastColumn(serializers.Serializer[Any]):
    """One join key or feature, for all entities in their order."""

    values = serializers.ListField(child=AnyValue())
    statuses = serializers.ListField(child=serializers.ChoiceField(choices=FEAST_STATUSES))
    event_timestamps = serializers.ListField(child=serializers.DateTimeField())


_METADATA = inline_serializer(
    "FeastMetadata",
    {
        "feature_names": serializers.ListField(child=serializers.CharField()),
        "masked": serializers.ListField(
            child=serializers.CharField(), required=False, help_text="Columns whose values are hidden."
        ),
        "feature_view_metadata": serializers.ListField(child=serializers.DictField(), required=False),
    },
)


class OnlineFeaturesAnswer(serializers.Serializer[Any]):
    """Columns, in the order of `metadata.feature_names`: the join keys, then the features."""

    results = FeastColumn(many=True)
    metadata = _METADATA

    class Meta:
        ref_name = "FeastOnlineFeaturesAnswer"

"""The form in which the history, the consumers and the likes of a feature are told."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.feature_serializers import AnyValue, HistogramSerializer, PinSerializer
from catalog.models import FeatureProfile

_OF_VALUES = ("min_value", "max_value", "mean_value", "std_dev", "quantiles", "histogram")


class ProfileSerializer(serializers.Serializer[Any]):
    """Statistics and quality of one version at one time; null where values are masked."""

    id = serializers.IntegerField()
    computed_at = serializers.DateTimeField()
    run_id = serializers.CharField(allow_null=True, help_text="The run after which it was computed.")
    newest_event = serializers.DateTimeField(allow_null=True)
    row_count = serializers.IntegerField()
    null_count = serializers.IntegerField()
    distinct_count = serializers.IntegerField(allow_null=True)
    min_value = AnyValue(allow_null=True)
    max_value = AnyValue(allow_null=True)
    mean_value = serializers.FloatField(allow_null=True)
    std_dev = serializers.FloatField(allow_null=True)
    quantiles = serializers.DictField(child=AnyValue(allow_null=True), allow_null=True)
    histogram = HistogramSerializer(allow_null=True)
    completeness = serializers.FloatField(allow_null=True)
    validity = serializers.FloatField(allow_null=True)
    consistency = serializers.FloatField(allow_null=True)

    def to_representation(self, instance: FeatureProfile) -> dict[str, Any]:
        told = dict(super().to_representation(instance))
        return told | dict.fromkeys(_OF_VALUES) if self.context.get("is_closed", True) else told


class ConsumingDatasetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    url = serializers.CharField(source="href", help_text="Its page; empty where it has none.")


class CallerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Empty for readers who may not know it.")
    online_reads = serializers.IntegerField()
    historical_reads = serializers.IntegerField()
    last_day = serializers.DateField()


class ConsumersSerializer(serializers.Serializer[Any]):
    """Who uses a feature."""

    services = PinSerializer(many=True, source="pins")
    datasets = ConsumingDatasetSerializer(many=True)
    callers = CallerSerializer(many=True, help_text="Of the last 30 days, most reads first.")


class SimilarSerializer(serializers.Serializer[Any]):
    """A feature like the one asked for."""

    feature = serializers.SerializerMethodField()
    feature_id = serializers.CharField(source="version.public_id")
    why = serializers.ListField(child=serializers.CharField(), help_text="In what it is like it, the strongest first.")

    @extend_schema_field(serializers.CharField(help_text="As group:name."))
    def get_feature(self, one: Any) -> str:
        return f"{one.feature.group.name}:{one.feature.name}"

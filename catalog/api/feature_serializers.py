"""The form in which features are told, and in which changes to them are sent."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.fields import OpenText, Seconds, SpanText, StatusField, StrictSerializer
from catalog.declarations import Sensitivity, Tier
from catalog.describing import DescribedFeature
from catalog.models import Status
from catalog.trust import State
from catalog.value_types import ValueType


@extend_schema_field(OpenApiTypes.ANY)
class AnyValue(serializers.JSONField):
    """A value of any feature type, as JSON."""


class StatisticsSerializer(serializers.Serializer[Any]):
    """Over the newest row of every entity. Null where it was not measured or is masked."""

    min_value = AnyValue(allow_null=True)
    max_value = AnyValue(allow_null=True)
    mean_value = serializers.FloatField(allow_null=True)
    std_dev = serializers.FloatField(allow_null=True)
    null_count = serializers.IntegerField()
    row_count = serializers.IntegerField()
    distinct_count = serializers.IntegerField(allow_null=True)
    computed_at = serializers.DateTimeField()
    masked = serializers.ListField(child=serializers.CharField(), help_text="Names of those hidden from this reader.")


class HistogramSerializer(serializers.Serializer[Any]):
    """``counts[i]`` values lie from ``edges[i]`` to ``edges[i + 1]``."""

    edges = serializers.ListField(child=serializers.FloatField(), default=list)
    counts = serializers.ListField(child=serializers.IntegerField(), default=list)


class TopValueSerializer(serializers.Serializer[Any]):
    value = AnyValue(allow_null=True)
    count = serializers.IntegerField()


class DetailedStatisticsSerializer(StatisticsSerializer):
    quantiles = serializers.DictField(
        child=AnyValue(allow_null=True), allow_null=True, help_text="By share: 0.5 is the median."
    )
    histogram = HistogramSerializer(allow_null=True)
    top_values = TopValueSerializer(many=True, allow_null=True)


class QualityMetricsSerializer(serializers.Serializer[Any]):
    """Shares from 0 to 1; null where there was nothing to measure."""

    completeness = serializers.FloatField(allow_null=True)
    validity = serializers.FloatField(allow_null=True)
    consistency = serializers.FloatField(allow_null=True)


class FeatureSummarySerializer(serializers.Serializer[Any]):
    """A feature as lists show it, in its default version."""

    feature_id = serializers.CharField(source="version.public_id", help_text="{entity}_{name}_v{major}")
    name = serializers.CharField(source="feature.name")
    reference = serializers.CharField(help_text="Means exactly this version: group:name@version.")
    description = serializers.SerializerMethodField()
    feature_group = serializers.CharField(source="feature.group.name")
    entity = serializers.CharField(source="feature.entity.name")
    data_type = serializers.ChoiceField(choices=[kind.value for kind in ValueType], source="version.data_type")
    version = serializers.CharField(source="version.number")
    source_table = serializers.CharField(source="feature.group.source_table")
    source_column = serializers.CharField(source="version.source_column")
    creation_date = serializers.DateTimeField(source="feature.created_at")
    last_updated = serializers.DateTimeField(help_text="When its description or definition last changed.")
    created_by = serializers.CharField(source="feature.created_by")
    tags = serializers.SerializerMethodField()
    owner = serializers.CharField(source="feature.effective_owner", help_text="Its own, or its group's.")
    unit = serializers.CharField(source="feature.unit")
    status = StatusField(source="feature.status")
    status_reason = serializers.CharField(source="feature.status_reason")
    replacement = serializers.SerializerMethodField()
    tier = serializers.ChoiceField(
        choices=[tier.value for tier in Tier], source="feature.tier", help_text="How far it may be relied on."
    )
    sensitivity = serializers.ChoiceField(
        choices=[level.value for level in Sensitivity], source="feature.effective_sensitivity"
    )
    source_problem = serializers.CharField(
        source="version.source_problem", help_text="Why its source gives no values now; empty when it does."
    )
    newest_event = serializers.DateTimeField(allow_null=True, help_text="The newest event timestamp of its values.")
    statistics = serializers.SerializerMethodField()
    statistics_reason = serializers.CharField(
        allow_null=True, help_text="Why statistics are missing or masked; null when they are all there."
    )
    quality_metrics = QualityMetricsSerializer(allow_null=True)
    url = serializers.SerializerMethodField()

    def get_description(self, entry: DescribedFeature) -> str:
        return entry.feature.description or entry.version.description

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_replacement(self, entry: DescribedFeature) -> str | None:
        """What to use instead, as `group:name`; null where nothing is known."""
        other = entry.replaced_by
        return None if other is None else f"{other.group.name}:{other.name}"

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_tags(self, entry: DescribedFeature) -> list[str]:
        return [tag.name for tag in entry.feature.tags.all()]

    @extend_schema_field(StatisticsSerializer(allow_null=True))
    def get_statistics(self, entry: DescribedFeature) -> dict[str, Any] | None:
        statistics = entry.statistics
        return None if statistics is None else dict(StatisticsSerializer(statistics).data)

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, entry: DescribedFeature) -> str:
        reference = f"{entry.feature.group.name}:{entry.feature.name}"
        return reverse("feature-detail", kwargs={"ref": reference}, request=self.context.get("request"))


class FeatureVersionSerializer(serializers.Serializer[Any]):
    """One definition of a feature."""

    version = serializers.CharField(source="number")
    feature_id = serializers.CharField(source="public_id")
    status = StatusField()
    is_current = serializers.BooleanField(help_text="The newest minor of its major: what is ingested.")
    is_default = serializers.SerializerMethodField()
    data_type = serializers.ChoiceField(choices=[kind.value for kind in ValueType])
    source_column = serializers.CharField()
    expression = serializers.CharField()
    change_note = serializers.CharField()
    source_problem = serializers.CharField()
    creation_date = serializers.DateTimeField(source="created_at")
    created_by = serializers.CharField()

    def get_is_default(self, version: Any) -> bool:
        return bool(version.pk == version.feature.default_version_id)


class PinSerializer(serializers.Serializer[Any]):
    """A feature service that pins a version of the feature."""

    name = serializers.CharField(source="service.name")
    version = serializers.CharField(source="version.number")


class EvidenceSerializer(serializers.Serializer[Any]):
    """One thing that speaks for or against a feature."""

    topic = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    text = serializers.CharField()


class VerdictSerializer(serializers.Serializer[Any]):
    """The verdict on a feature in short: whether to build on it."""

    state = serializers.ChoiceField(choices=[state.value for state in State])
    sentence = serializers.CharField()


class TrustSerializer(VerdictSerializer):
    """The verdict on a feature: whether to build on it, and why."""

    evidence = EvidenceSerializer(many=True)


class FeatureDetailSerializer(FeatureSummarySerializer):
    """All that the catalog knows of a feature, in the version asked for."""

    trust = serializers.SerializerMethodField()
    join_keys = serializers.ListField(child=serializers.CharField(), source="feature.entity.join_keys")
    declared = serializers.BooleanField(source="feature.declared", help_text="Kept by the configuration.")
    expression = serializers.CharField(source="version.expression")
    validation = serializers.DictField(source="version.validation", help_text="The rules of its values.")
    categories = serializers.ListField(child=AnyValue(), source="version.categories", allow_null=True)
    default_value = AnyValue(
        source="version.default_value", allow_null=True, help_text="Served where an entity has no value."
    )
    mask = serializers.CharField(source="version.mask")
    drift_threshold = serializers.FloatField(source="version.drift_threshold", allow_null=True)
    max_age = SpanText(source="feature.group.max_age", help_text="How old a value may be and still be used, as 24h.")
    max_age_seconds = Seconds(source="feature.group.max_age", help_text="The same in seconds; null: any age.")
    inherited = serializers.DictField(
        allow_null=True, help_text="What the pipeline's reports say about it; null where the values are masked."
    )
    versions = serializers.SerializerMethodField()
    services = serializers.SerializerMethodField()

    @extend_schema_field(DetailedStatisticsSerializer(allow_null=True))
    def get_statistics(self, entry: DescribedFeature) -> dict[str, Any] | None:
        statistics = entry.statistics
        return None if statistics is None else dict(DetailedStatisticsSerializer(statistics).data)

    @extend_schema_field(TrustSerializer)
    def get_trust(self, entry: DescribedFeature) -> Any:  # noqa: ARG002  (the framework's signature)
        return TrustSerializer(self.context["trust"]).data

    @extend_schema_field(FeatureVersionSerializer(many=True))
    def get_versions(self, entry: DescribedFeature) -> Any:  # noqa: ARG002  (the framework's signature)
        return FeatureVersionSerializer(self.context["versions"], many=True).data

    @extend_schema_field(PinSerializer(many=True))
    def get_services(self, entry: DescribedFeature) -> Any:  # noqa: ARG002  (the framework's signature)
        return PinSerializer(self.context["pins"], many=True).data


class FeatureChangesSerializer(StrictSerializer):
    """What of a feature is changed by hand; what is left out stays as it is."""

    description = OpenText(max_length=20_000)
    owner = OpenText(max_length=200)
    tags = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=50)
    unit = OpenText(max_length=60)
    sensitivity = serializers.ChoiceField(
        choices=["", *(level.value for level in Sensitivity)], required=False, help_text="Empty: the group's."
    )
    tier = serializers.ChoiceField(
        choices=[tier.value for tier in Tier],
        required=False,
        help_text="To and from certified needs the capability certify.",
    )
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    status_reason = OpenText(max_length=500, help_text="Why the status changes; needed to deprecate.")
    replacement = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=210,
        help_text="What to use instead of what is deprecated, as [group:]name; null: nothing is known.",
    )

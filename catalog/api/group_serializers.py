"""The form in which feature groups, entities and tags are told, and in which changes to groups are sent."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.feature_serializers import VerdictSerializer
from catalog.api.fields import OpenText, Seconds, SpanText, StatusField, StrictSerializer
from catalog.declarations import Sensitivity
from catalog.models import FeatureGroup, Status


class GroupSerializer(serializers.Serializer[Any]):
    """A feature group as lists show it."""

    name = serializers.CharField()
    description = serializers.CharField()
    entity = serializers.CharField(source="entity.name")
    join_keys = serializers.ListField(child=serializers.CharField(), source="entity.join_keys")
    owner = serializers.CharField()
    status = StatusField()
    sensitivity = serializers.ChoiceField(choices=[level.value for level in Sensitivity])
    tags = serializers.SerializerMethodField()
    source = serializers.CharField(  # type: ignore[assignment]  # declared fields do not stay attributes
        help_text="Name of the declared source it is read from."
    )
    source_table = serializers.CharField()
    feature_count = serializers.IntegerField(help_text="Features that are not archived.")
    unserved_count = serializers.IntegerField(help_text="Active features whose source gives no values.")
    newest_event = serializers.DateTimeField(allow_null=True, help_text="The newest event timestamp of its values.")
    max_age = SpanText(help_text="How old a value may be and still be used.")
    max_age_seconds = Seconds(source="max_age", help_text="The same in seconds; null: any age.")
    schedule = serializers.CharField(help_text="Cron line of its ingestion, UTC.")
    declared = serializers.BooleanField(help_text="Kept by the configuration.")
    creation_date = serializers.DateTimeField(source="created_at")
    last_updated = serializers.DateTimeField(source="updated_at")
    created_by = serializers.CharField()
    url = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_tags(self, group: FeatureGroup) -> list[str]:
        return [tag.name for tag in group.tags.all()]

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, group: FeatureGroup) -> str:
        return reverse("group-detail", kwargs={"name": group.name}, request=self.context.get("request"))


class GroupFeatureSerializer(serializers.Serializer[Any]):
    """A feature of the group, in short."""

    name = serializers.CharField()
    feature_id = serializers.SerializerMethodField()
    data_type = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    status = StatusField()
    description = serializers.CharField()
    trust = serializers.SerializerMethodField(help_text="The verdict on it; null without a version.")

    @extend_schema_field(VerdictSerializer(allow_null=True))
    def get_trust(self, feature: Any) -> Any:
        verdict = self.context["verdicts"].get(feature.default_version_id)
        return None if verdict is None else VerdictSerializer(verdict).data

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_feature_id(self, feature: Any) -> str | None:
        version = feature.default_version
        return None if version is None else f"{self.context['entity']}_{feature.name}_v{version.major}"

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_data_type(self, feature: Any) -> str | None:
        return None if feature.default_version is None else feature.default_version.data_type

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_version(self, feature: Any) -> str | None:
        return None if feature.default_version is None else feature.default_version.number


class GroupDetailSerializer(GroupSerializer):
    """A feature group with its features and how it is read."""

    timestamp_column = serializers.CharField(help_text="Empty: the usual names are looked for.")
    created_column = serializers.CharField(help_text="Empty: the time of the run.")
    timezone = serializers.CharField(help_text="Zone of source timestamps that carry none.")
    key_map = serializers.DictField(child=serializers.CharField(), help_text="Join key to its column in the source.")
    row_rules = serializers.ListField(child=serializers.DictField())
    retention = SpanText(help_text="How long history is kept; null: for ever.")
    retention_seconds = Seconds(source="retention")
    freshness = SpanText(help_text="How old the newest value may be.")
    freshness_seconds = Seconds(source="freshness")
    features = serializers.SerializerMethodField()

    @extend_schema_field(GroupFeatureSerializer(many=True))
    def get_features(self, group: FeatureGroup) -> Any:
        context = {"entity": group.entity.name, "verdicts": self.context["verdicts"]}
        return GroupFeatureSerializer(self.context["features"], many=True, context=context).data


class GroupChangesSerializer(StrictSerializer):
    """What of a group is changed by hand; what is left out stays as it is."""

    description = OpenText(max_length=20_000)
    owner = OpenText(max_length=200)
    tags = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=50)
    sensitivity = serializers.ChoiceField(choices=[level.value for level in Sensitivity], required=False)
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    status_reason = OpenText(max_length=500, help_text="Why the status changes.")


class EntitySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField()
    join_keys = serializers.ListField(child=serializers.CharField(), help_text="In the order of the entity key.")
    group_count = serializers.IntegerField()
    feature_count = serializers.IntegerField()


class TagSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    feature_count = serializers.IntegerField()

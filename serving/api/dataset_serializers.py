"""The form in which training datasets are told."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.lineage_serializers import LineageEdgeSerializer, LineageNodeSerializer
from serving.api.schemas import AnyValue, HistoricalRequest
from serving.datasets.pins import Pins
from serving.models import DatasetState, TrainingDataset


class DatasetReferenceSerializer(serializers.Serializer[Any]):
    """A training dataset, and where its state is told."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=DatasetState.choices)
    url = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, dataset: TrainingDataset) -> str:
        return reverse("dataset-detail", kwargs={"pk": dataset.pk}, request=self.context.get("request"))


class DatasetSerializer(DatasetReferenceSerializer):
    """A training dataset as lists show it."""

    description = serializers.CharField()
    created_by = serializers.CharField()
    progress = serializers.FloatField(help_text="Share that is done, 0 to 1.")
    error = serializers.CharField(help_text="Why it failed, or why it is tried again; empty when nothing went wrong.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    archived_at = serializers.DateTimeField(allow_null=True)
    row_count = serializers.IntegerField(allow_null=True)
    byte_count = serializers.IntegerField(allow_null=True)
    content_hash = serializers.CharField(help_text="Digest of all values in their order; empty until it is built.")
    features = serializers.SerializerMethodField(help_text="Feature ids.")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_features(self, dataset: TrainingDataset) -> list[str]:
        return [feature["feature_id"] for feature in dataset.spec["features"]]


class DatasetColumnSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField(help_text="Its Arrow type.")
    feature_id = serializers.CharField(required=False)
    mask = serializers.CharField(required=False, allow_null=True, help_text="How its values are hidden; null: clear.")


class PinnedFeatureSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField()
    feature_id = serializers.CharField()
    version = serializers.CharField()
    group = serializers.CharField()
    entity = serializers.CharField()
    data_type = serializers.CharField()
    mask = serializers.CharField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        # The name is taken by an attribute of every field.
        return {**super().get_fields(), "default": AnyValue(allow_null=True)}


class PinnedTableSerializer(serializers.Serializer[Any]):
    group = serializers.CharField()
    version = serializers.IntegerField(allow_null=True, help_text="Null: nothing had been ingested.")
    table_id = serializers.CharField()
    max_age = serializers.CharField(allow_null=True, help_text="ISO 8601 duration; null: any age.")


class PinnedEntitySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    join_keys = serializers.ListField(child=serializers.CharField())
    columns = serializers.ListField(child=serializers.CharField())


class PinsSerializer(serializers.Serializer[Any]):
    """Everything that decides the content, besides the entity rows."""

    features = PinnedFeatureSerializer(many=True)
    tables = PinnedTableSerializer(many=True)
    entities = PinnedEntitySerializer(many=True)
    key_map = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))
    service = serializers.CharField(allow_null=True)
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True)
    known_at = serializers.DateTimeField(help_text="Only what the store had learned by then counts.")
    known_at_event_time = serializers.BooleanField(help_text="And by the time of the entity row as well.")
    at = serializers.DateTimeField(help_text="The time of entity rows that have none.")


class DatasetLineageSerializer(serializers.Serializer[Any]):
    """What the dataset is made from, and what is made from it."""

    nodes = LineageNodeSerializer(many=True)
    edges = LineageEdgeSerializer(many=True)
    truncated = serializers.BooleanField(help_text="Whether there is more than is told here.")


class DatasetDetailSerializer(DatasetSerializer):
    """A training dataset with everything that is pinned."""

    columns = DatasetColumnSerializer(many=True)
    entity_rows = serializers.IntegerField()
    entity_rows_hash = serializers.CharField()
    code_version = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    pinned = serializers.SerializerMethodField()
    verified_at = serializers.DateTimeField(allow_null=True)
    verified_identical = serializers.SerializerMethodField(help_text="What verifying it last said; null: never.")
    snippet = serializers.CharField(help_text="Python that makes it again from what is pinned.")
    lineage = DatasetLineageSerializer()
    download_url = serializers.SerializerMethodField()

    @extend_schema_field(PinsSerializer)
    def get_pinned(self, dataset: TrainingDataset) -> dict[str, Any]:
        pins = Pins.of(dataset.spec).model_dump(mode="json")
        return dict(PinsSerializer(pins).data)

    @extend_schema_field(serializers.BooleanField(allow_null=True))
    def get_verified_identical(self, dataset: TrainingDataset) -> bool | None:
        return None if dataset.verification is None else bool(dataset.verification["identical"])

    @extend_schema_field(OpenApiTypes.URI)
    def get_download_url(self, dataset: TrainingDataset) -> str:
        return reverse("dataset-download", kwargs={"pk": dataset.pk}, request=self.context.get("request"))


class DifferingCellSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="Counted from 0.")
    column = serializers.CharField()
    was = AnyValue(allow_null=True)
    now = AnyValue(allow_null=True)


class VerificationSerializer(serializers.Serializer[Any]):
    """What making the dataset again has shown."""

    identical = serializers.BooleanField()
    checked_at = serializers.DateTimeField()
    row_count = serializers.IntegerField()
    content_hash = serializers.CharField()
    recomputed_hash = serializers.CharField()
    tables = inline_serializer(
        "TableUsed",
        {
            "group": serializers.CharField(),
            "pinned": serializers.IntegerField(allow_null=True),
            "used": serializers.IntegerField(allow_null=True),
        },
        many=True,
    )
    differing_cells = serializers.IntegerField()
    differing_columns = serializers.DictField(child=serializers.IntegerField())
    differences = DifferingCellSerializer(many=True, help_text="The first hundred.")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="What is no longer as it was pinned.")


DatasetRequestBody = inline_serializer(
    "DatasetRequest",
    {
        "name": serializers.CharField(max_length=200),
        "description": serializers.CharField(required=False),
        **HistoricalRequest.get_fields(),
        "at": serializers.CharField(
            required=False, allow_null=True, help_text="The time of entity rows without one; by default now."
        ),
        "table_versions": serializers.DictField(
            child=serializers.IntegerField(),
            required=False,
            help_text="By group an earlier version of its history; the newest where left out.",
        ),
    },
)

"""The form in which feature services are told and sent."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.fields import OpenText, StatusField, StrictSerializer
from catalog.models import FeatureService


class ServiceMemberSerializer(serializers.Serializer[Any]):
    """A pinned feature version."""

    name = serializers.CharField(source="version.feature.name")
    feature_group = serializers.CharField(source="version.feature.group.name")
    feature_id = serializers.CharField(source="version.public_id")
    version = serializers.CharField(source="version.number")
    data_type = serializers.CharField(source="version.data_type")
    status = StatusField(source="version.status")


class ServiceSerializer(serializers.Serializer[FeatureService]):
    """A named, pinned set of feature versions that one model uses."""

    name = serializers.CharField()
    description = serializers.CharField()
    owner = serializers.CharField()
    status = StatusField()
    declared = serializers.BooleanField(help_text="Kept by the configuration; then it is changed only there.")
    features = ServiceMemberSerializer(source="members", many=True)
    creation_date = serializers.DateTimeField(source="created_at")
    last_updated = serializers.DateTimeField(source="updated_at")
    created_by = serializers.CharField()
    url = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, service: FeatureService) -> str:
        return reverse("service-detail", kwargs={"name": service.name}, request=self.context.get("request"))


class ServiceChangesSerializer(StrictSerializer):
    """A feature service as it is to be; references without a version pin the default version of now."""

    features = serializers.ListField(
        child=serializers.CharField(max_length=400), allow_empty=False, help_text="Feature references, in order."
    )
    description = OpenText(max_length=20_000, default="")
    owner = OpenText(max_length=200, default="")


class NewServiceSerializer(ServiceChangesSerializer):
    """A new feature service."""

    name = serializers.CharField(max_length=100)

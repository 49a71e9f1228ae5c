"""The form in which feature services are told and sent."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.feature_serializers import VerdictSerializer
from catalog.api.fields import OpenText, StatusField, StrictSerializer
from catalog.models import FeatureService
from catalog.pinned import Pinned


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


class WeighedMemberSerializer(ServiceMemberSerializer):
    """A pinned feature version with the verdict on it."""

    trust = serializers.SerializerMethodField()

    @extend_schema_field(VerdictSerializer)
    def get_trust(self, member: Any) -> Any:
        return VerdictSerializer(self.context["verdicts"][member.pk]).data


class ServiceDetailSerializer(ServiceSerializer):
    """A feature service with the verdict on each version that it pins."""

    features = serializers.SerializerMethodField()  # type: ignore[assignment]  # declared fields do not stay attributes
    join_keys = serializers.SerializerMethodField()
    weakest = serializers.SerializerMethodField(
        help_text="feature_id of the version with the worst verdict: the service is as good as this one."
    )
    hidden_count = serializers.SerializerMethodField(help_text="How many it pins that the caller may not see.")

    @extend_schema_field(WeighedMemberSerializer(many=True))
    def get_features(self, service: FeatureService) -> Any:  # noqa: ARG002  (the framework's signature)
        members = self._pinned.members
        context = {"verdicts": {member.pk: verdict for member, verdict in members}}
        return WeighedMemberSerializer([member for member, _ in members], many=True, context=context).data

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_join_keys(self, service: FeatureService) -> list[str]:  # noqa: ARG002
        return list(self._pinned.join_keys)

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_weakest(self, service: FeatureService) -> str | None:  # noqa: ARG002
        weakest = self._pinned.weakest
        return None if weakest is None else weakest[0].version.public_id

    def get_hidden_count(self, service: FeatureService) -> int:  # noqa: ARG002
        return self._pinned.hidden

    @property
    def _pinned(self) -> Pinned:
        pinned: Pinned = self.context["pinned"]
        return pinned


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

"""``metadata/groups``: the list, one feature group, and changes by hand."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.changes import change_group
from catalog.api.filtering import StrictFilterBackend, refuse_unknown_parameters
from catalog.api.group_filters import GroupFilter
from catalog.api.group_serializers import GroupChangesSerializer, GroupDetailSerializer, GroupSerializer
from catalog.api.named import named_or_nearest
from catalog.group_list import groups_listed
from catalog.models import Feature, FeatureGroup
from catalog.trusting import trust_lines


@extend_schema_view(
    list=extend_schema(operation_id="list_groups", summary="Feature groups", responses=GroupSerializer(many=True)),
    retrieve=extend_schema(operation_id="get_group", summary="One feature group with its features"),
    partial_update=extend_schema(
        operation_id="edit_group",
        summary="Change the description of a feature group",
        description="Needs the capability edit_catalog. What the configuration declares, the next apply sets again.",
        request=GroupChangesSerializer,
        responses=GroupDetailSerializer,
    ),
)
class GroupViewSet(GenericViewSet[FeatureGroup]):
    lookup_field = "name"
    lookup_value_regex = "[^/]+"
    serializer_class = GroupDetailSerializer
    filterset_class = GroupFilter
    filter_backends = (StrictFilterBackend,)
    required_capability: ClassVar = {
        None: Capability.SEE_METADATA,
        "list": Capability.SEE_METADATA,
        "retrieve": Capability.SEE_METADATA,
        "partial_update": Capability.EDIT_CATALOG,
    }
    queryset = FeatureGroup.objects.none()

    def get_queryset(self) -> QuerySet[FeatureGroup]:
        return groups_listed(self.request.user)

    def list(self, request: Request) -> Response:  # noqa: ARG002  (the framework's signature)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        serializer = GroupSerializer(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(serializer.data)

    def retrieve(self, request: Request, name: str) -> Response:
        refuse_unknown_parameters(request, ())
        return Response(self._detail(request, named_or_nearest(self.get_queryset(), name, what="feature group")))

    def partial_update(self, request: Request, name: str) -> Response:
        changes = GroupChangesSerializer(data=request.data)
        changes.is_valid(raise_exception=True)
        group = named_or_nearest(self.get_queryset(), name, what="feature group")
        change_group(group=group, changes=changes.validated_data, editor=request.user)
        return Response(self._detail(request, self.get_queryset().get(pk=group.pk)))

    def _detail(self, request: Request, group: FeatureGroup) -> Any:
        visible = Feature.objects.visible_to(request.user).filter(group=group)
        features = list(visible.select_related("group", "entity", "default_version__latest_profile"))
        versions = [one.default_version for one in features if one.default_version is not None]
        for feature, version in ((one, one.default_version) for one in features):
            if version is not None:
                version.feature = feature
        verdicts = trust_lines(versions, user=request.user, with_use=False)
        context = {**self.get_serializer_context(), "features": features, "verdicts": verdicts}
        return GroupDetailSerializer(group, context=context).data

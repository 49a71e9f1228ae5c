"""``metadata/groups/{name}/storage``: how much of a group is stored."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import refuse_unknown_parameters
from catalog.api.named import named_or_nearest
from catalog.clock import now
from catalog.models import FeatureGroup
from serving.models import MaterializedTable


class GroupTableSerializer(serializers.Serializer[Any]):
    """What is stored of a group; zeros and nulls before anything is."""

    group = serializers.CharField()
    as_of = serializers.DateTimeField()
    online_rows = serializers.IntegerField()
    history_rows = serializers.IntegerField()
    history_bytes = serializers.IntegerField()
    table_version = serializers.IntegerField(allow_null=True, help_text="The version of its history that is online.")
    newest_event = serializers.DateTimeField(allow_null=True)
    next_event = serializers.DateTimeField(
        allow_null=True, help_text="The earliest event that lies ahead, and so is not online yet."
    )
    materialized_at = serializers.DateTimeField(allow_null=True)


class GroupStorageViewSet(GenericViewSet[MaterializedTable]):
    required_capability = Capability.SEE_METADATA
    filter_backends = ()
    pagination_class = None
    queryset = MaterializedTable.objects.none()

    @extend_schema(
        operation_id="get_group_storage",
        summary="How much of a group is stored, and how far it is online",
        parameters=[OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the group.")],
        responses=GroupTableSerializer,
    )
    def retrieve(self, request: Request, name: str) -> Response:
        refuse_unknown_parameters(request, ())
        group = named_or_nearest(FeatureGroup.objects.visible_to(request.user), name, what="feature group")
        stored = MaterializedTable.objects.filter(group=group).first()
        told = {
            "group": group.name,
            "as_of": now(),
            "online_rows": 0 if stored is None else stored.online_rows,
            "history_rows": 0 if stored is None else stored.history_rows,
            "history_bytes": 0 if stored is None else stored.history_bytes,
            "table_version": None if stored is None else stored.table_version,
            "newest_event": None if stored is None else stored.newest_event,
            "next_event": None if stored is None else stored.next_event,
            "materialized_at": None if stored is None else stored.updated_at,
        }
        return Response(GroupTableSerializer(told).data)

"""``metadata/entities`` and ``metadata/tags``: the words that features are found by."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import PAGING, refuse_unknown_parameters
from catalog.api.group_serializers import EntitySerializer, TagSerializer
from catalog.models import Entity, Feature, FeatureGroup, Tag


@extend_schema_view(list=extend_schema(operation_id="list_entities", summary="Entities and their join keys"))
class EntityViewSet(GenericViewSet[Entity]):
    serializer_class = EntitySerializer
    filter_backends = ()
    required_capability = Capability.SEE_METADATA
    queryset = Entity.objects.none()

    def get_queryset(self) -> QuerySet[Entity]:
        groups = FeatureGroup.objects.visible_to(self.request.user)
        features = Feature.objects.visible_to(self.request.user)
        return Entity.objects.annotate(
            group_count=Count("groups", filter=Q(groups__in=groups), distinct=True),
            feature_count=Count("features", filter=Q(features__in=features), distinct=True),
        ).order_by("name")

    def list(self, request: Request) -> Response:
        refuse_unknown_parameters(request, PAGING)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


@extend_schema_view(list=extend_schema(operation_id="list_tags", summary="Tags, and how many features carry each"))
class TagViewSet(GenericViewSet[Tag]):
    serializer_class = TagSerializer
    filter_backends = ()
    required_capability = Capability.SEE_METADATA
    queryset = Tag.objects.none()

    def get_queryset(self) -> QuerySet[Tag]:
        features = Feature.objects.visible_to(self.request.user)
        counted = Count("features", filter=Q(features__in=features), distinct=True)
        return Tag.objects.annotate(feature_count=counted).filter(feature_count__gt=0).order_by("name")

    def list(self, request: Request) -> Response:
        refuse_unknown_parameters(request, PAGING)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

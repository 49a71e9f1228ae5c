"""``metadata/services``: feature services are listed, made, changed and removed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import PAGING, refuse_unknown_parameters
from catalog.api.named import named_or_nearest
from catalog.api.service_serializers import (
    NewServiceSerializer,
    ServiceChangesSerializer,
    ServiceDetailSerializer,
    ServiceSerializer,
)
from catalog.models import FeatureService, FeatureServiceMember, FeatureVersion
from catalog.pinned import pinned_by
from catalog.services import create_service, delete_service, replace_service

_EXAMPLE = OpenApiExample(
    "two features",
    {"name": "churn_model", "description": "What the churn model reads", "features": ["balance_mean@1.0", "age_mean"]},
    request_only=True,
)


@extend_schema_view(
    list=extend_schema(operation_id="list_services", summary="Feature services"),
    retrieve=extend_schema(
        operation_id="get_service",
        summary="One feature service with what it pins, and how far each may be trusted",
        responses=ServiceDetailSerializer,
    ),
    create=extend_schema(
        operation_id="create_service",
        summary="Make a feature service",
        description="Needs the capability manage_services. A name that is taken is a conflict (409).",
        request=NewServiceSerializer,
        responses={201: ServiceDetailSerializer},
        examples=[_EXAMPLE],
    ),
    update=extend_schema(
        operation_id="replace_service",
        summary="Give a feature service other features, description and owner",
        description="Needs the capability manage_services. A service that the configuration keeps is a conflict (409).",
        request=ServiceChangesSerializer,
        responses=ServiceDetailSerializer,
    ),
    destroy=extend_schema(
        operation_id="delete_service",
        summary="Remove a feature service",
        description="Needs the capability manage_services. A service that the configuration keeps is a conflict (409).",
        responses={204: OpenApiResponse(description="It is removed.")},
    ),
)
class ServiceViewSet(GenericViewSet[FeatureService]):
    lookup_field = "name"
    lookup_value_regex = "[^/]+"
    serializer_class = ServiceSerializer
    filter_backends = ()
    required_capability: ClassVar = {
        None: Capability.SEE_METADATA,
        "list": Capability.SEE_METADATA,
        "retrieve": Capability.SEE_METADATA,
        "create": Capability.MANAGE_SERVICES,
        "update": Capability.MANAGE_SERVICES,
        "destroy": Capability.MANAGE_SERVICES,
    }
    queryset = FeatureService.objects.none()

    def get_queryset(self) -> QuerySet[FeatureService]:
        versions = FeatureVersion.objects.visible_to(self.request.user)
        members = FeatureServiceMember.objects.filter(version__in=versions)
        details = members.select_related("version__feature__entity", "version__feature__group")
        return FeatureService.objects.visible_to(self.request.user).prefetch_related(Prefetch("members", details))

    def list(self, request: Request) -> Response:
        refuse_unknown_parameters(request, PAGING)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, name: str) -> Response:
        refuse_unknown_parameters(request, ())
        return Response(self._detail(self._service(name)))

    def create(self, request: Request) -> Response:
        body = NewServiceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        service = create_service(user=request.user, **body.validated_data)
        answer = self._detail(self.get_queryset().get(pk=service.pk))
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": answer["url"]})

    def update(self, request: Request, name: str) -> Response:
        body = ServiceChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        service = replace_service(service=self._service(name), user=request.user, **body.validated_data)
        return Response(self._detail(self.get_queryset().get(pk=service.pk)))

    def destroy(self, request: Request, name: str) -> Response:  # noqa: ARG002  (the framework's signature)
        delete_service(service=self._service(name))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _detail(self, service: FeatureService) -> Any:
        context = {**self.get_serializer_context(), "pinned": pinned_by(service, user=self.request.user)}
        return ServiceDetailSerializer(service, context=context).data

    def _service(self, name: str) -> FeatureService:
        return named_or_nearest(self.get_queryset(), name, what="feature service")

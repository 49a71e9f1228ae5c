"""``metadata/follows``: what the caller follows, and following by feature and by group."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import PAGING, refuse_unknown_parameters
from catalog.api.journal_serializers import FollowSerializer
from catalog.api.named import named_or_nearest
from catalog.following import follow, unfollow
from catalog.models import Feature, FeatureGroup, Follow
from catalog.references import resolve_references

_GONE = OpenApiResponse(description="It is not followed, whether it was before or not.")


class FollowViewSet(GenericViewSet[Follow]):
    serializer_class = FollowSerializer
    filter_backends = ()
    required_capability: ClassVar = {None: Capability.SEE_METADATA, "list": Capability.SEE_METADATA}
    queryset = Follow.objects.none()

    def get_queryset(self) -> QuerySet[Follow]:
        mine: QuerySet[Follow] = Follow.objects.visible_to(self.request.user).filter(user=self.request.user.pk)
        return mine.select_related("feature__group", "group")

    @extend_schema(operation_id="list_follows", summary="The features and groups that the caller follows")
    def list(self, request: Request) -> Response:
        refuse_unknown_parameters(request, PAGING)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class FeatureFollowView(APIView):
    required_capability = Capability.SEE_METADATA
    _ref = OpenApiParameter("ref", str, OpenApiParameter.PATH, description="Feature reference `[group:]name`.")

    @extend_schema(
        operation_id="follow_feature",
        summary="Follow a feature",
        parameters=[_ref],
        request=None,
        responses=FollowSerializer,
    )
    def put(self, request: Request, ref: str) -> Response:
        return Response(FollowSerializer(follow(user=request.user, subject=self._feature(request, ref))).data)

    @extend_schema(
        operation_id="unfollow_feature",
        summary="Follow a feature no longer",
        parameters=[_ref],
        request=None,
        responses={204: _GONE},
    )
    def delete(self, request: Request, ref: str) -> Response:
        unfollow(user=request.user, subject=self._feature(request, ref))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _feature(self, request: Request, ref: str) -> Feature:
        return resolve_references([ref], user=request.user)[0].version.feature


class GroupFollowView(APIView):
    required_capability = Capability.SEE_METADATA

    @extend_schema(
        operation_id="follow_group", summary="Follow a feature group", request=None, responses=FollowSerializer
    )
    def put(self, request: Request, name: str) -> Response:
        return Response(FollowSerializer(follow(user=request.user, subject=self._group(request, name))).data)

    @extend_schema(
        operation_id="unfollow_group",
        summary="Follow a feature group no longer",
        request=None,
        responses={204: _GONE},
    )
    def delete(self, request: Request, name: str) -> Response:
        unfollow(user=request.user, subject=self._group(request, name))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _group(self, request: Request, name: str) -> FeatureGroup:
        return named_or_nearest(FeatureGroup.objects.visible_to(request.user), name, what="feature group")

"""``metadata/views``, ``requests``, ``me`` and ``compare``: what the caller keeps, asks for and looks at."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import PAGING, refuse_unknown_parameters
from catalog.comparing import MOST_COMPARED, as_versions, compare, references_of
from catalog.disclosure import closed_features
from catalog.errors import NotAuthenticated, NotFound
from catalog.feature_requests import answer_request, ask_for_feature
from catalog.models import FeatureRequest, Follow, RequestState, SavedView
from catalog.references import resolve_references
from catalog.saved_views import remove_view, save_view


class SavedViewSerializer(serializers.ModelSerializer[SavedView]):
    user = serializers.CharField(source="user.username", read_only=True)
    query = serializers.CharField(
        max_length=2000, allow_blank=True, required=False, help_text="The parameters of the search: q=balance&tag=money"
    )

    class Meta:
        model = SavedView
        fields = ("slug", "name", "query", "is_shared", "user", "updated_at")
        read_only_fields = ("slug", "updated_at")


class FeatureRequestSerializer(serializers.ModelSerializer[FeatureRequest]):
    user = serializers.CharField(source="user.username", read_only=True)
    feature = serializers.SerializerMethodField()

    class Meta:
        model = FeatureRequest
        fields = (
            "id",
            "wanted",
            "reason",
            "query",
            "user",
            "created_at",
            "state",
            "answer",
            "feature",
            "answered_by",
            "answered_at",
        )
        read_only_fields = ("created_at", "state", "answer", "answered_by", "answered_at")

    def get_feature(self, request: FeatureRequest) -> str | None:
        """The reference of the feature that fulfils it."""
        return None if request.feature is None else f"{request.feature.group.name}:{request.feature.name}"


class AnswerSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=[RequestState.FULFILLED.value, RequestState.DECLINED.value])
    answer = serializers.CharField(max_length=5_000, allow_blank=True, default="")
    feature = serializers.CharField(max_length=300, required=False, help_text="Reference of what fulfils it.")


@extend_schema_view(
    list=extend_schema(operation_id="list_views", summary="Saved views: shared ones, and those of the caller"),
    create=extend_schema(
        operation_id="save_view",
        summary="Keep a search under a name",
        description="A view of the same name that the caller has is replaced; one of another person is a conflict.",
    ),
    destroy=extend_schema(
        operation_id="remove_view",
        summary="Forget a view of one's own",
        responses={204: OpenApiResponse(description="It is removed.")},
    ),
)
class SavedViewViewSet(GenericViewSet[SavedView]):
    lookup_field = "slug"
    serializer_class = SavedViewSerializer
    filter_backends = ()
    required_capability: ClassVar = Capability.SEE_METADATA
    queryset = SavedView.objects.none()

    def get_queryset(self) -> QuerySet[SavedView]:
        return SavedView.objects.visible_to(self.request.user).select_related("user")

    def list(self, request: Request) -> Response:
        refuse_unknown_parameters(request, PAGING)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        view = save_view(
            user=request.user,
            name=given["name"],
            query=QueryDict(given.get("query", "").removeprefix("?")),
            is_shared=given.get("is_shared", False),
        )
        return Response(self.get_serializer(view).data, status=status.HTTP_201_CREATED)

    def destroy(self, request: Request, slug: str) -> Response:
        remove_view(user=request.user, slug=slug)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(
        operation_id="list_feature_requests",
        summary="Features that were asked for: by the caller, or by all for those who may answer",
    ),
    create=extend_schema(operation_id="ask_for_feature", summary="Ask for a feature that is not there"),
    partial_update=extend_schema(
        operation_id="answer_feature_request",
        summary="Answer a request",
        description="Needs the capability edit_catalog.",
        request=AnswerSerializer,
        responses=FeatureRequestSerializer,
    ),
)
class FeatureRequestViewSet(GenericViewSet[FeatureRequest]):
    lookup_value_regex = r"\d{1,18}"
    serializer_class = FeatureRequestSerializer
    filter_backends = ()
    required_capability: ClassVar = {
        None: Capability.SEE_METADATA,
        "list": Capability.SEE_METADATA,
        "create": Capability.SEE_METADATA,
        "partial_update": Capability.EDIT_CATALOG,
    }
    queryset = FeatureRequest.objects.none()

    def get_queryset(self) -> QuerySet[FeatureRequest]:
        return FeatureRequest.objects.visible_to(self.request.user).told_to(self.request.user)

    def list(self, request: Request) -> Response:
        refuse_unknown_parameters(request, PAGING)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request) -> Response:
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = ask_for_feature(user=request.user, **body.validated_data)
        return Response(self.get_serializer(asked).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        body = AnswerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = self.get_queryset().filter(pk=int(pk)).first()
        if found is None:
            raise NotFound(f"there is no request {pk}", details={"id": int(pk)})
        given = body.validated_data
        reference = given.get("feature")
        feature = resolve_references([reference], user=request.user)[0].version.feature if reference else None
        answered = answer_request(
            request=found,
            answerer=request.user,
            state=RequestState(given["state"]),
            answer=given["answer"],
            feature=feature,
        )
        return Response(self.get_serializer(self.get_queryset().get(pk=answered.pk)).data)


class _MeSerializer(serializers.Serializer[Any]):
    user = serializers.CharField()
    followed_features = serializers.ListField(child=serializers.CharField())
    followed_groups = serializers.ListField(child=serializers.CharField())
    views = SavedViewSerializer(many=True)
    requests = FeatureRequestSerializer(many=True)


class MeView(APIView):
    required_capability = Capability.SEE_METADATA

    @extend_schema(
        operation_id="get_me",
        summary="What the caller follows, keeps and has asked for",
        responses=_MeSerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, ())
        if request.user.pk is None:
            raise NotAuthenticated("whoever has no name keeps nothing; send a token")
        follows = Follow.objects.visible_to(request.user).filter(user_id=request.user.pk)
        rows = list(follows.select_related("feature__group", "group"))
        asked = FeatureRequest.objects.filter(user_id=request.user.pk).told_to(request.user)
        answer = {
            "user": request.user.get_username(),
            "followed_features": [f"{one.feature.group.name}:{one.feature.name}" for one in rows if one.feature],
            "followed_groups": [one.group.name for one in rows if one.group],
            "views": SavedView.objects.filter(user_id=request.user.pk).select_related("user"),
            "requests": asked[:100],
        }
        return Response(_MeSerializer(answer).data)


class _ComparedSerializer(serializers.Serializer[Any]):
    features = serializers.ListField(child=serializers.CharField())
    parts = serializers.ListField(child=serializers.JSONField())


class CompareView(APIView):
    required_capability = Capability.SEE_METADATA

    @extend_schema(
        operation_id="compare_features",
        summary="Features side by side",
        parameters=[
            OpenApiParameter("f", str, many=True, description=f"References, {MOST_COMPARED} at most.", required=True)
        ],
        responses=_ComparedSerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, ("f",))
        references = references_of(request.query_params)
        versions = [one.version for one in resolve_references(references, user=request.user)]
        features = as_versions(versions, user=request.user)
        parts = compare(features, closed=closed_features(user=request.user, features=features))
        told = [
            {
                "heading": part.heading,
                "rows": [{**asdict(row), "differs": row.differs} for row in part.rows],
            }
            for part in parts
        ]
        return Response({"features": references, "parts": told})

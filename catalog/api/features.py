"""``metadata/features``: the list, one feature, the search, the lineage, and changes by hand."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.changes import change_feature
from catalog.api.feature_serializers import (
    FeatureChangesSerializer,
    FeatureDetailSerializer,
    FeatureSummarySerializer,
)
from catalog.api.filtering import PAGING, StrictFilterBackend, refuse_unknown_parameters
from catalog.api.lineage_serializers import LineageSerializer
from catalog.describing import describe_default_versions, describe_version
from catalog.errors import InvalidInput
from catalog.filters import FeatureFilter
from catalog.lineage import DEEPEST, DEFAULT_DEPTH, Direction, walk
from catalog.models import Feature, FeatureService, FeatureServiceMember, FeatureVersion
from catalog.references import resolve_references
from catalog.search import search_features

MAX_SEARCH_TAGS = 50
MAX_SEARCH_TEXT = 500

_REF = OpenApiParameter("ref", str, OpenApiParameter.PATH, description="Feature reference `[group:]name[@version]`.")
_DIRECTIONS = [direction.value for direction in Direction]
_VERSION = OpenApiParameter("version", str, description="Another way to write `@version` in the reference.")


@extend_schema_view(
    list=extend_schema(
        operation_id="list_features",
        summary="Features, filtered, searched and ordered",
        description="Every filter may be repeated or hold several names between commas: any fits; of tags, all.",
    ),
    retrieve=extend_schema(
        operation_id="get_feature_metadata",
        summary="All that the catalog knows of one feature",
        parameters=[_REF, _VERSION],
    ),
    partial_update=extend_schema(
        operation_id="edit_feature",
        summary="Change the description of a feature",
        description="Needs the capability edit_catalog. What the configuration declares, the next apply sets again.",
        parameters=[_REF],
        request=FeatureChangesSerializer,
        responses=FeatureDetailSerializer,
        examples=[
            OpenApiExample("owner and tags", {"owner": "risk-team", "tags": ["financial", "risk"]}, request_only=True)
        ],
    ),
)
class FeatureViewSet(GenericViewSet[Feature]):
    lookup_url_kwarg = "ref"
    lookup_value_regex = "[^/]+"
    serializer_class = FeatureDetailSerializer
    filterset_class = FeatureFilter
    filter_backends = (StrictFilterBackend,)
    required_capability: ClassVar = {
        None: Capability.SEE_METADATA,
        "list": Capability.SEE_METADATA,
        "retrieve": Capability.SEE_METADATA,
        "search": Capability.SEE_METADATA,
        "lineage": Capability.SEE_METADATA,
        "partial_update": Capability.EDIT_CATALOG,
    }
    queryset = Feature.objects.none()

    def get_queryset(self) -> QuerySet[Feature]:
        # What has no version yet has no definition that could be told.
        visible = Feature.objects.visible_to(self.request.user).filter(default_version__isnull=False)
        return visible.with_details()

    @extend_schema(responses=FeatureSummarySerializer(many=True))
    def list(self, request: Request) -> Response:
        chosen = self.filter_queryset(self.get_queryset())
        # Without a last word on equal ones a row could be on two pages, or on none.
        return self._page_of(request, chosen.order_by(*(chosen.query.order_by or ("name",)), "pk"))

    def retrieve(self, request: Request, ref: str) -> Response:
        refuse_unknown_parameters(request, ("version",))
        versions = request.query_params.getlist("version")
        if len(versions) > 1 or (versions and "@" in ref):
            raise InvalidInput(
                "the version is given twice; write it in the reference or as ?version=", details={"field": "version"}
            )
        text = f"{ref}@{versions[0]}" if versions else ref
        return Response(self._detail(request, resolve_references([text], user=request.user)[0].version))

    def partial_update(self, request: Request, ref: str) -> Response:
        if "@" in ref:
            raise InvalidInput(
                "a version is a definition and is not edited; name the feature without version",
                details={"reference": ref},
            )
        changes = FeatureChangesSerializer(data=request.data)
        changes.is_valid(raise_exception=True)
        version = resolve_references([ref], user=request.user)[0].version
        change_feature(feature=version.feature, changes=changes.validated_data, editor=request.user)
        changed = FeatureVersion.objects.select_related("feature__entity", "feature__group").get(pk=version.pk)
        return Response(self._detail(request, changed))

    @extend_schema(
        operation_id="search_features",
        summary="Features by tags and words, best first",
        parameters=[
            OpenApiParameter("tags", str, description="Tags between commas."),
            OpenApiParameter("q", str, description="Words of name, tags, description or source column."),
            OpenApiParameter("match", str, enum=["any", "all"], description="Any of the tags (default), or all."),
        ],
        responses=FeatureSummarySerializer(many=True),
        filters=False,
    )
    @action(detail=False, methods=["get"], filter_backends=[])
    def search(self, request: Request) -> Response:
        refuse_unknown_parameters(request, ("tags", "q", "match", *PAGING))
        tags = [tag.strip() for text in request.query_params.getlist("tags") for tag in text.split(",") if tag.strip()]
        q = request.query_params.get("q", "").strip()
        match = request.query_params.get("match", "any")
        if match not in ("any", "all"):
            raise InvalidInput(f"match is any or all, not {match!r}", details={"field": "match"})
        if not tags and not q:
            raise InvalidInput("search by tags, by q, or by both", details={"fields": ["tags", "q"]})
        if len(tags) > MAX_SEARCH_TAGS or len(q) > MAX_SEARCH_TEXT or "\0" in q + "".join(tags):
            raise InvalidInput(
                f"at most {MAX_SEARCH_TAGS} tags and {MAX_SEARCH_TEXT} characters of text",
                details={"fields": ["tags", "q"]},
            )
        found = search_features(user=request.user, q=q, tags=tags, match="all" if match == "all" else "any")
        described = found.features.filter(default_version__isnull=False).with_details()
        return self._page_of(request, described, did_you_mean=list(found.did_you_mean))

    @extend_schema(
        operation_id="get_feature_lineage",
        summary="Where the values of a feature come from, and what is made from them",
        parameters=[
            _REF,
            OpenApiParameter("depth", int, default=DEFAULT_DEPTH, description=f"Steps to go, 0 to {DEEPEST}."),
            OpenApiParameter("direction", str, enum=_DIRECTIONS, default=Direction.BOTH.value),
        ],
        responses=LineageSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def lineage(self, request: Request, ref: str) -> Response:
        refuse_unknown_parameters(request, ("depth", "direction"))
        depth = request.query_params.get("depth", str(DEFAULT_DEPTH))
        if not re.fullmatch(r"\d{1,3}", depth, re.ASCII):
            raise InvalidInput(
                f"depth is a whole number from 0 to {DEEPEST}, not {depth!r}", details={"field": "depth"}
            )
        direction = request.query_params.get("direction", Direction.BOTH.value)
        version = resolve_references([ref], user=request.user)[0].version
        graph = walk(version.feature, depth=int(depth), direction=direction, user=request.user)
        return Response(LineageSerializer(graph, context={"feature": version.feature.name}).data)

    def _page_of(self, request: Request, features: QuerySet[Feature], **beside: Any) -> Response:
        page = self.paginate_queryset(features) or []
        entries = describe_default_versions(page, user=request.user)
        answer = self.get_paginated_response(FeatureSummarySerializer(entries, many=True, context=self._context()).data)
        answer.data |= beside
        return answer

    def _detail(self, request: Request, version: FeatureVersion) -> Any:
        feature = version.feature
        versions = list(FeatureVersion.objects.visible_to(request.user).filter(feature=feature))
        for one in versions:
            one.feature = feature
        services = FeatureService.objects.visible_to(request.user)
        pins = FeatureServiceMember.objects.filter(feature=feature, service__in=services)
        context = {
            **self._context(),
            "versions": versions,
            "pins": pins.select_related("service", "version").order_by("service__name", "major"),
        }
        return FeatureDetailSerializer(describe_version(version, user=request.user), context=context).data

    def _context(self) -> dict[str, Any]:
        return dict(self.get_serializer_context())

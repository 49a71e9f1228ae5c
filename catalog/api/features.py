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
from catalog.api.audit_serializers import AuditEventSerializer
from catalog.api.changes import change_feature
from catalog.api.feature_relations import ConsumersSerializer, ProfileSerializer, SimilarSerializer
from catalog.api.feature_serializers import (
    FeatureChangesSerializer,
    FeatureDetailSerializer,
    FeatureSummarySerializer,
)
from catalog.api.filtering import PAGING, StrictFilterBackend, refuse_unknown_parameters
from catalog.api.lineage_serializers import LineageSerializer
from catalog.audit_trail import changes_of
from catalog.consumers import consumers_of
from catalog.describing import describe_default_versions, describe_version
from catalog.disclosure import closed_features
from catalog.errors import InvalidInput
from catalog.filters import FeatureFilter
from catalog.lineage import DEEPEST, DEFAULT_DEPTH, Direction, walk
from catalog.models import Feature, FeatureService, FeatureServiceMember, FeatureVersion
from catalog.references import resolve_references
from catalog.saved_views import opened
from catalog.search import FACETS, Choice, FoundFeatures, find_features
from catalog.similar import similar_features
from catalog.trusting import trust_lines

MAX_SEARCH_TAGS = 50
MAX_SEARCH_TEXT = 500

_REF = OpenApiParameter("ref", str, OpenApiParameter.PATH, description="Feature reference `[group:]name[@version]`.")
_VIEW = OpenApiParameter("view", str, description="Slug of a saved view; what is given beside it counts instead.")
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
        "profiles": Capability.SEE_METADATA,
        "consumers": Capability.SEE_METADATA,
        "similar": Capability.SEE_METADATA,
        "audit": Capability.EDIT_CATALOG,
        "partial_update": Capability.EDIT_CATALOG,
    }
    queryset = Feature.objects.none()

    def get_queryset(self) -> QuerySet[Feature]:
        # What has no version yet has no definition that could be told.
        visible = Feature.objects.visible_to(self.request.user).filter(default_version__isnull=False)
        return visible.with_details()

    @extend_schema(parameters=[_VIEW], responses=FeatureSummarySerializer(many=True))
    def list(self, request: Request) -> Response:
        return self._page_of(request, self._found(request, ()))

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
        description="The ranking of the search page. Every filter of the list may be given as well, or typed as a "
        "token within q. What could not be found so is told: misspelt words with what they were read as, words that "
        "were left out.",
        parameters=[
            OpenApiParameter("tags", str, description="Tags between commas."),
            OpenApiParameter("match", str, enum=["any", "all"], description="Any of the tags (default), or all."),
            OpenApiParameter("facets", bool, description="With how many features each value of each facet has."),
            _VIEW,
        ],
        responses=FeatureSummarySerializer(many=True),
    )
    @action(detail=False, methods=["get"])
    def search(self, request: Request) -> Response:
        tags = [tag.strip() for text in request.query_params.getlist("tags") for tag in text.split(",") if tag.strip()]
        match = request.query_params.get("match", "any")
        if match not in ("any", "all"):
            raise InvalidInput(f"match is any or all, not {match!r}", details={"field": "match"})
        if len(tags) > MAX_SEARCH_TAGS or "\0" in "".join(tags):
            raise InvalidInput(f"at most {MAX_SEARCH_TAGS} tags", details={"field": "tags"})
        chosen = Choice("tag", tuple(tag.lower() for tag in tags), is_any=match == "any") if tags else None
        found = self._found(request, ("tags", "match", "facets"), tags=chosen)
        if not (found.criteria.text or found.criteria.restrictions or request.query_params.get("view")):
            raise InvalidInput("search by tags, by q, by a filter or a view", details={"fields": ["tags", "q"]})
        beside: dict[str, Any] = {
            "did_you_mean": list(found.did_you_mean()),
            "read_as": found.hits.corrected,
            "left_out": list(found.hits.dropped),
        }
        if request.query_params.get("facets", "").lower() in ("true", "1"):
            beside["facets"] = {name: dict(found.facet_counts(name).most_common()) for name in FACETS}
        return self._page_of(request, found, **beside)

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

    @extend_schema(
        operation_id="list_feature_profiles",
        summary="How the statistics of a feature went over time, newest first",
        parameters=[_REF],
        responses=ProfileSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], filter_backends=[])
    def profiles(self, request: Request, ref: str) -> Response:
        refuse_unknown_parameters(request, PAGING)
        version = resolve_references([ref], user=request.user)[0].version
        profiles: Any = version.profiles.order_by("-computed_at", "-pk")
        page = self.paginate_queryset(profiles) or []
        is_closed = describe_version(version, user=request.user).closed
        answer = ProfileSerializer(page, many=True, context={**self._context(), "is_closed": is_closed})
        return self.get_paginated_response(answer.data)

    @extend_schema(
        operation_id="get_feature_consumers",
        summary="Who uses a feature: services, training datasets, callers of the last 30 days",
        description="Who the callers are is told to those with the capability edit_catalog.",
        parameters=[_REF],
        responses=ConsumersSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def consumers(self, request: Request, ref: str) -> Response:
        refuse_unknown_parameters(request, ())
        version = resolve_references([ref], user=request.user)[0].version
        return Response(ConsumersSerializer(consumers_of(version, user=request.user)).data)

    @extend_schema(
        operation_id="list_similar_features",
        summary="Features like one: by name, tags, source and the shape of the values",
        parameters=[_REF],
        responses=SimilarSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def similar(self, request: Request, ref: str) -> Response:
        refuse_unknown_parameters(request, ())
        version = resolve_references([ref], user=request.user)[0].version
        found = similar_features(version, user=request.user, most=20)
        return Response(SimilarSerializer(found, many=True).data)

    @extend_schema(
        operation_id="list_feature_changes",
        summary="What was changed of a feature, by whom and when, newest first",
        description="The audit of the feature and of its versions, as its page shows it. Needs the capability "
        "edit_catalog.",
        parameters=[_REF],
        responses=AuditEventSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], filter_backends=[])
    def audit(self, request: Request, ref: str) -> Response:
        refuse_unknown_parameters(request, PAGING)
        feature = resolve_references([ref], user=request.user)[0].version.feature
        versions = FeatureVersion.objects.visible_to(request.user).filter(feature=feature)
        page: Any = self.paginate_queryset(changes_of(feature, versions=versions)) or []  # type: ignore[arg-type]
        closed = closed_features(user=request.user, features=[feature])
        context = {**self._context(), "is_closed": feature.pk in closed}
        return self.get_paginated_response(AuditEventSerializer(page, many=True, context=context).data)

    def _found(self, request: Request, others: tuple[str, ...], *, tags: Choice | None = None) -> FoundFeatures:
        refuse_unknown_parameters(request, (*FeatureFilter.base_filters, "view", *others, *PAGING))
        parameters, _ = opened(request.query_params, user=request.user)
        if len(parameters.get("q", "") + parameters.get("search", "")) > MAX_SEARCH_TEXT:
            raise InvalidInput(f"at most {MAX_SEARCH_TEXT} characters of text", details={"field": "q"})
        asked = FeatureFilter(parameters, queryset=Feature.objects.none())
        # What has no version yet has no definition that could be told.
        criteria = asked.criteria(user=request.user, needs_version=True, tags=tags)
        return find_features(user=request.user, criteria=criteria)

    def _page_of(self, request: Request, features: FoundFeatures, **beside: Any) -> Response:
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
            "trust": trust_lines([version], user=request.user)[version.pk],
            "pins": pins.select_related("service", "version").order_by("service__name", "major"),
        }
        return FeatureDetailSerializer(describe_version(version, user=request.user), context=context).data

    def _context(self) -> dict[str, Any]:
        return dict(self.get_serializer_context())

"""``metadata/groups/{name}/quality`` and ``/source``: what the page of a group tells beside the catalog's own."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability, may
from catalog.api.filtering import refuse_unknown_parameters
from catalog.api.named import named_or_nearest
from catalog.clock import now
from catalog.models import FeatureGroup
from ingestion.api.run_serializers import DetailedReportSerializer
from ingestion.api.runs import reports_in_detail
from ingestion.group_source import GroupSource, source_of
from ingestion.models import SourceKind
from ingestion.report_access import report_access
from ingestion.sample_reads import record_reports_shown

_NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the group.")


class GroupReportSerializer(serializers.Serializer[Any]):
    """The newest check of a group."""

    group = serializers.CharField()
    as_of = serializers.DateTimeField()
    report = serializers.SerializerMethodField(help_text="Null where it was never checked.")

    @extend_schema_field(DetailedReportSerializer(allow_null=True))
    def get_report(self, told: dict[str, Any]) -> Any:
        report = told["report"]
        return None if report is None else DetailedReportSerializer(report, context=self.context).data


class GroupSourceSerializer(serializers.Serializer[GroupSource]):
    """Where a group is read from, and when."""

    group = serializers.SerializerMethodField()
    as_of = serializers.SerializerMethodField()
    source = serializers.SerializerMethodField(help_text="Its name.")  # type: ignore[assignment]  # see above
    source_table = serializers.SerializerMethodField()
    kind = serializers.SerializerMethodField(help_text="Null where the source is not registered.")
    location = serializers.SerializerMethodField(help_text="Null for readers without the capability run_ingestion.")
    schedule = serializers.CharField(
        help_text="The cron line with its zone, or an interval; empty where there is none."
    )
    is_paused = serializers.BooleanField()
    next_due = serializers.DateTimeField(allow_null=True, help_text="Null of an interval, and beyond a week.")

    def get_group(self, one: GroupSource) -> str:  # noqa: ARG002  (the framework's signature)
        return str(self.context["group"].name)

    @extend_schema_field(serializers.DateTimeField())
    def get_as_of(self, one: GroupSource) -> Any:  # noqa: ARG002
        return self.context["at"]

    def get_source(self, one: GroupSource) -> str:  # noqa: ARG002
        return str(self.context["group"].source)

    def get_source_table(self, one: GroupSource) -> str:  # noqa: ARG002
        return str(self.context["group"].source_table)

    @extend_schema_field(serializers.ChoiceField(choices=SourceKind.choices, allow_null=True))
    def get_kind(self, one: GroupSource) -> str | None:
        return None if one.source is None else one.source.kind

    def get_location(self, one: GroupSource) -> str | None:
        return one.source.location if one.source is not None and self.context["shows_location"] else None


class GroupPartsViewSet(GenericViewSet[FeatureGroup]):
    required_capability = Capability.SEE_METADATA
    filter_backends = ()
    pagination_class = None
    queryset = FeatureGroup.objects.none()

    @extend_schema(
        operation_id="get_group_quality",
        summary="The newest check of a group: what fell short, and the result of each rule",
        parameters=[_NAME],
        responses=GroupReportSerializer,
    )
    def quality(self, request: Request, name: str) -> Response:
        group = self._group(request, name)
        report = reports_in_detail().filter(group=group).order_by("-created_at", "-id").first()
        access = report_access(user=request.user, groups=[group])
        if report is not None:
            record_reports_shown([report], access=access, request=request)
        told = {"group": group.name, "as_of": now(), "report": report}
        return Response(GroupReportSerializer(told, context={"access": access}).data)

    @extend_schema(
        operation_id="get_group_source",
        summary="Where a group is read from, by which schedule, and when it is due next",
        description="Where the data lies is told to those with the capability run_ingestion.",
        parameters=[_NAME],
        responses=GroupSourceSerializer,
    )
    def source(self, request: Request, name: str) -> Response:
        group, at = self._group(request, name), now()
        shows_location = may(request.user, Capability.RUN_INGESTION)
        context = {"group": group, "at": at, "shows_location": shows_location}
        return Response(GroupSourceSerializer(source_of(group, at=at), context=context).data)

    def _group(self, request: Request, name: str) -> FeatureGroup:
        refuse_unknown_parameters(request, ())
        return named_or_nearest(FeatureGroup.objects.visible_to(request.user), name, what="feature group")

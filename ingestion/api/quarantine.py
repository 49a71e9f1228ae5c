"""``quarantine``: the rows that a rule of severity reject kept out."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import StrictFilterBackend
from catalog.filters import AnyOf
from catalog.models import FeatureGroup
from ingestion.models import QuarantinedRow
from ingestion.report_access import ReportAccess, report_access
from ingestion.sample_reads import record_rows_shown, token_of


class QuarantineFilter(django_filters.FilterSet):
    group = AnyOf(field_name="group__name", label="Feature group")
    run = django_filters.UUIDFilter(field_name="last_run", label="The last run that met the row")

    class Meta:
        model = QuarantinedRow
        fields: ClassVar = ["group", "run"]


class QuarantinedRowSerializer(serializers.Serializer[QuarantinedRow]):
    """A row that was kept out; what it holds is null for readers who may not see whole rows of the group."""

    id = serializers.IntegerField()
    group = serializers.CharField(source="group.name")
    entity_key = serializers.SerializerMethodField()
    event_timestamp = serializers.SerializerMethodField(help_text="As the source has it.")
    row = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField(help_text="Of each rule that it broke the feature and a message.")
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    first_run = serializers.UUIDField(source="first_run_id", allow_null=True)
    last_run = serializers.UUIDField(source="last_run_id", allow_null=True)

    def get_entity_key(self, one: QuarantinedRow) -> str | None:
        return one.entity_key if self._shows(one) else None

    def get_event_timestamp(self, one: QuarantinedRow) -> str | None:
        return one.event_timestamp if self._shows(one) else None

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_row(self, one: QuarantinedRow) -> Any:
        return one.row if self._shows(one) else None

    @extend_schema_field(serializers.ListField(child=serializers.JSONField()))
    def get_reasons(self, one: QuarantinedRow) -> Any:
        shows = self._shows(one)
        return [reason if shows else {**reason, "message": None} for reason in one.reasons]

    def _shows(self, one: QuarantinedRow) -> bool:
        access: ReportAccess = self.context["access"]
        return one.group_id in access.open_groups


@extend_schema_view(
    list=extend_schema(
        operation_id="list_quarantined_rows",
        summary="Rows that a rule kept out, those met last first",
        description="What the rows hold is told to readers who may see whole rows of their group, and recorded as a "
        "read.",
    )
)
class QuarantineViewSet(GenericViewSet[QuarantinedRow]):
    serializer_class = QuarantinedRowSerializer
    filterset_class = QuarantineFilter
    filter_backends = (StrictFilterBackend,)
    required_capability = Capability.SEE_METADATA
    queryset = QuarantinedRow.objects.none()

    def get_queryset(self) -> QuerySet[QuarantinedRow]:
        groups = FeatureGroup.objects.visible_to(self.request.user)
        return QuarantinedRow.objects.filter(group__in=groups).select_related("group").order_by("-last_seen", "-id")

    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        groups = {row.group_id: row.group for row in page}
        access = report_access(user=request.user, groups=groups.values())
        for pk, group in groups.items():
            shown = sum(row.group_id == pk for row in page) if pk in access.open_groups else 0
            record_rows_shown(group, rows=shown, token=token_of(request))
        context = {**self.get_serializer_context(), "access": access}
        return self.get_paginated_response(QuarantinedRowSerializer(page, many=True, context=context).data)

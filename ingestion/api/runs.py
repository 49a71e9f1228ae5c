"""``runs`` and ``reports``: what ran, how it went, and once more."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog.access import Capability
from catalog.api.filtering import StrictFilterBackend, refuse_unknown_parameters
from catalog.errors import NotFound
from catalog.models import FeatureGroup
from ingestion.api.report_filters import ReportFilter
from ingestion.api.run_serializers import (
    DetailedReportSerializer,
    ReportSerializer,
    RunDetailSerializer,
    RunReferenceSerializer,
    RunSerializer,
)
from ingestion.filters import RunFilter
from ingestion.models import IngestionRun, ValidationReport
from ingestion.report_access import report_access
from ingestion.sample_reads import record_reports_shown
from ingestion.triggering import retry_run

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def reports_in_detail() -> QuerySet[ValidationReport]:
    """Reports with their group and the result of each rule."""
    reports = ValidationReport.objects.select_related("group")
    return reports.prefetch_related("results__version__feature", "results__report")


@extend_schema_view(
    list=extend_schema(operation_id="list_runs", summary="Runs, newest first", responses=RunSerializer(many=True)),
    retrieve=extend_schema(
        operation_id="get_run",
        summary="One run with its counts, problems, log and validation report",
        parameters=[OpenApiParameter("id", str, OpenApiParameter.PATH, description="Id of the run.")],
    ),
)
class RunViewSet(GenericViewSet[IngestionRun]):
    lookup_value_regex = _UUID
    serializer_class = RunDetailSerializer
    filterset_class = RunFilter
    filter_backends = (StrictFilterBackend,)
    required_capability: ClassVar = {
        None: Capability.SEE_METADATA,
        "list": Capability.SEE_METADATA,
        "retrieve": Capability.SEE_METADATA,
        "retry": Capability.RUN_INGESTION,
    }
    queryset = IngestionRun.objects.none()

    def get_queryset(self) -> QuerySet[IngestionRun]:
        visible = IngestionRun.objects.visible_to(self.request.user)
        return visible.select_related("group").order_by("-created_at", "-id")

    def list(self, request: Request) -> Response:  # noqa: ARG002  (the framework's signature)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset().defer("log"))) or []
        return self.get_paginated_response(RunSerializer(page, many=True, context=self._context(*page)).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        refuse_unknown_parameters(request, ())
        run = self._run(pk)
        reports = {report.run_id: report for report in reports_in_detail().filter(run=run)}
        context = {**self._context(run), "reports": reports}
        record_reports_shown(reports.values(), access=context["access"], request=request)
        return Response(RunDetailSerializer(run, context=context).data)

    @extend_schema(
        operation_id="retry_run",
        summary="Do what a run that has ended did once more",
        description="Needs the capability run_ingestion. While the run has not ended it is a conflict (409).",
        parameters=[OpenApiParameter("id", str, OpenApiParameter.PATH, description="Id of the run.")],
        request=None,
        responses={202: RunReferenceSerializer},
        filters=False,
    )
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def retry(self, request: Request, pk: str) -> Response:
        again = retry_run(self._run(pk), user=request.user)
        answer = RunReferenceSerializer(again, context=self._context(again)).data
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": answer["url"]})

    def _context(self, *runs: IngestionRun) -> dict[str, Any]:
        access = report_access(user=self.request.user, groups=[run.group for run in runs])
        return {**self.get_serializer_context(), "access": access}

    def _run(self, pk: str) -> IngestionRun:
        run = self.get_queryset().filter(pk=pk).first()
        if run is None:
            raise NotFound(f"there is no run {pk}", details={"id": pk})
        return run


@extend_schema_view(
    list=extend_schema(
        operation_id="list_reports", summary="Validation reports, newest first", responses=ReportSerializer(many=True)
    ),
    retrieve=extend_schema(
        operation_id="get_report",
        summary="One validation report with the result of each rule",
        parameters=[OpenApiParameter("id", int, OpenApiParameter.PATH, description="Id of the report.")],
    ),
)
class ReportViewSet(GenericViewSet[ValidationReport]):
    lookup_value_regex = r"[0-9]{1,18}"
    serializer_class = DetailedReportSerializer
    filterset_class = ReportFilter
    filter_backends = (StrictFilterBackend,)
    required_capability = Capability.SEE_METADATA
    queryset = ValidationReport.objects.none()

    def get_queryset(self) -> QuerySet[ValidationReport]:
        groups = FeatureGroup.objects.visible_to(self.request.user)
        return reports_in_detail().filter(group__in=groups).order_by("-created_at", "-id")

    def list(self, request: Request) -> Response:  # noqa: ARG002  (the framework's signature)
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset().prefetch_related(None))) or []
        return self.get_paginated_response(ReportSerializer(page, many=True, context=self._context(*page)).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        refuse_unknown_parameters(request, ())
        report = self.get_queryset().filter(pk=pk).first()
        if report is None:
            raise NotFound(f"there is no report {pk}", details={"id": pk})
        context = self._context(report)
        record_reports_shown([report], access=context["access"], request=request)
        return Response(DetailedReportSerializer(report, context=context).data)

    def _context(self, *reports: ValidationReport) -> dict[str, Any]:
        return {"access": report_access(user=self.request.user, groups=[report.group for report in reports])}

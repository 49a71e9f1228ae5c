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
from catalog.clock import now
from catalog.errors import InvalidInput, NotFound
from catalog.models import FeatureGroup
from ingestion.api.last_day_serializers import LastDaySerializer
from ingestion.api.report_filters import ReportFilter
from ingestion.api.run_comparison_serializers import RunComparisonSerializer
from ingestion.api.run_serializers import (
    DetailedReportSerializer,
    ReportSerializer,
    RunDetailSerializer,
    RunReferenceSerializer,
    RunSerializer,
)
from ingestion.durations import usual_durations
from ingestion.filters import RunFilter
from ingestion.last_day import day_of
from ingestion.models import IngestionRun, ValidationReport
from ingestion.report_access import report_access
from ingestion.run_comparison import compare_rules, compare_runs, results_of, run_before, two_runs
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
        "compare": Capability.SEE_METADATA,
        "last_day": Capability.SEE_METADATA,
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
        context = {
            **self._context(run),
            "reports": reports,
            "rows_kept_out": run.quarantined_rows.count(),
            "previous": run_before(run, user=request.user),
            "usual": usual_durations([run], at=now()).get((run.group_id, run.kind)),
        }
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

    @extend_schema(
        operation_id="compare_runs",
        summary="Two runs side by side: their facts, counts and what the rules found in each",
        parameters=[OpenApiParameter("run", str, many=True, required=True, description="Id of a run; given twice.")],
        responses=RunComparisonSerializer,
        filters=False,
    )
    @action(detail=False, methods=["get"], filter_backends=[], pagination_class=None)
    def compare(self, request: Request) -> Response:
        refuse_unknown_parameters(request, ("run",))
        first, second = two_runs(request.query_params.getlist("run"), user=request.user)
        results = results_of([first, second])
        told = {
            "first": first,
            "second": second,
            "lines": compare_runs(first, second),
            "rules": compare_rules(results[first.pk], results[second.pk]),
        }
        return Response(RunComparisonSerializer(told, context=self._context(first, second)).data)

    @extend_schema(
        operation_id="get_last_day_of_runs",
        summary="What ran in the last 24 hours, group by group, and when a run was due",
        description="As the page of runs draws it, with the same filters. What was due is told where the runs are not "
        "chosen by state, kind or trigger.",
        responses=LastDaySerializer,
    )
    @action(detail=False, methods=["get"], url_path="last-day", pagination_class=None)
    def last_day(self, request: Request) -> Response:
        refuse_unknown_parameters(request, tuple(RunFilter.base_filters))
        chosen = RunFilter(request.query_params, queryset=self.get_queryset().defer("log", "problems"))
        if not chosen.is_valid():
            raise InvalidInput("; ".join(f"{name}: {' '.join(texts)}" for name, texts in chosen.errors.items()))
        day = day_of(chosen, at=now(), user=request.user)
        context = self._context(*(run for one in day.groups for run in one.runs))
        return Response(LastDaySerializer(day, context=context).data)

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

"""``refresh`` and ``validate``: runs are asked for, and waited for where the caller wishes."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from catalog.access import Capability
from ingestion.api.run_serializers import ReportsSerializer, RunRequestSerializer, RunsSerializer, ValidatedSerializer
from ingestion.api.runs import reports_in_detail
from ingestion.models import IngestionRun, RunKind
from ingestion.report_access import report_access
from ingestion.runs import wait_for
from ingestion.sample_reads import record_reports_shown
from ingestion.triggering import groups_to_run, start_runs

_EXAMPLES = [
    OpenApiExample("all groups", {}, request_only=True),
    OpenApiExample("one group, waiting", {"groups": ["customer_financial"], "wait": True}, request_only=True),
]


class StartingViewSet(ViewSet):
    required_capability: ClassVar = {
        None: Capability.RUN_INGESTION,
        "refresh": Capability.RUN_INGESTION,
        "validate": Capability.RUN_INGESTION,
    }

    @extend_schema(
        operation_id="refresh",
        summary="Ingest feature groups",
        description="One run per group. 202 while a run has not ended, 200 when all have, whatever their state.",
        request=RunRequestSerializer,
        responses={202: RunsSerializer, 200: RunsSerializer},
        examples=_EXAMPLES,
    )
    def refresh(self, request: Request) -> Response:
        runs = self._started(request, RunKind.INGEST)
        return Response(self._told(request, runs), status=_status_of(runs))

    @extend_schema(
        operation_id="validate",
        summary="Check feature groups against their rules and quality thresholds",
        description="202 while a run has not ended; 200 with the reports when all have.",
        request=RunRequestSerializer,
        responses={202: RunsSerializer, 200: ValidatedSerializer},
        examples=_EXAMPLES,
    )
    def validate(self, request: Request) -> Response:
        runs = self._started(request, RunKind.VALIDATE)
        answer = self._told(request, runs)
        if all(run.is_finished for run in runs):
            reports = list(reports_in_detail().filter(run__in=runs).order_by("group__name"))
            access = report_access(user=request.user, groups=[report.group for report in reports])
            record_reports_shown(reports, access=access, request=request)
            passed = len(reports) == len(runs) and all(report.passed for report in reports)
            answer["report"] = ReportsSerializer({"passed": passed, "groups": reports}, context={"access": access}).data
        return Response(answer, status=_status_of(runs))

    def _started(self, request: Request, kind: RunKind) -> list[IngestionRun]:
        body = RunRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        groups = groups_to_run(body.validated_data.get("groups"), user=request.user)
        runs = start_runs(groups, kind=kind, user=request.user)
        seconds: float = body.validated_data["wait"]
        return wait_for(runs, timeout=seconds) if seconds else runs

    def _told(self, request: Request, runs: list[IngestionRun]) -> dict[str, object]:
        access = report_access(user=request.user, groups=[run.group for run in runs])
        return dict(RunsSerializer({"runs": runs}, context={"request": request, "access": access}).data)


def _status_of(runs: list[IngestionRun]) -> int:
    return status.HTTP_200_OK if all(run.is_finished for run in runs) else status.HTTP_202_ACCEPTED

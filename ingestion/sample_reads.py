"""Rows kept out and samples of rules hold values: showing them is a read, recorded like any other."""

from __future__ import annotations

import time
from collections.abc import Iterable

from django.db.models import F, Q
from rest_framework.request import Request

from catalog.models import FeatureGroup, FeatureVersion
from ingestion.models import RuleResult, ValidationReport
from ingestion.report_access import ReportAccess
from serving.models import ApiToken
from serving.page_reads import record_versions_read


def record_samples_shown(results: Iterable[RuleResult], *, token: str = "") -> None:
    """Write an access record of the samples of ``results``, which the reader sees; none where they are empty.

    A sample of a rule of rows counts as a read of all features of its group.

    :raises Unavailable: when it cannot be written; what leaves no record must not be shown.
    """
    shown = [result for result in results if result.sample]
    if not shown:
        return
    of_rows = [result.report_id for result in shown if result.version_id is None]
    versions = Q(pk__in=[result.version_id for result in shown if result.version_id is not None])
    if of_rows:
        versions |= Q(pk=F("feature__default_version"), feature__group__validation_reports__in=of_rows)
    _record(versions, rows=sum(len(result.sample) for result in shown), token=token)


def record_reports_shown(reports: Iterable[ValidationReport], *, access: ReportAccess, request: Request) -> None:
    """The same of the samples that ``access`` shows of ``reports``, for a call of the API.

    :raises Unavailable: as above.
    """
    token = request.auth.prefix if isinstance(request.auth, ApiToken) else ""
    shown = [result for report in reports for result in report.results.all() if access.shows(result)]
    record_samples_shown(shown, token=token)


def record_rows_shown(group: FeatureGroup, *, rows: int) -> None:
    """Write an access record of whole source rows of ``group``, which the reader sees; none of no rows.

    :raises Unavailable: as above.
    """
    if rows:
        _record(Q(pk=F("feature__default_version"), feature__group=group), rows=rows)


def _record(versions: Q, *, rows: int, token: str = "") -> None:
    began = time.perf_counter()
    read = FeatureVersion.objects.filter(versions).select_related("feature__entity").distinct().order_by("pk")
    record_versions_read(list(read), entities=rows, began=began, token=token)

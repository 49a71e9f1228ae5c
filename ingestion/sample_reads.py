"""Rows kept out and samples of rules hold values: showing them is a read, recorded like any other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import F, Q
from rest_framework.request import Request

from catalog.group_features import features_of
from catalog.models import FeatureGroup, FeatureVersion
from ingestion.models import RuleResult, ValidationReport
from ingestion.report_access import ReportAccess
from ingestion.rule_results import sample_table
from serving.models import ApiToken
from serving.page_reads import record_versions_read

Sample = tuple[tuple[str, ...], list[tuple[str, ...]]]


def record_samples_shown(results: Iterable[RuleResult], *, token: str = "") -> None:
    """Write an access record of the samples of ``results``, which the reader sees; none where they are empty.

    A sample of a rule of rows counts as a read of all features of its group.

    :raises Unavailable: when it cannot be written; what leaves no record must not be shown.
    """
    began = time.perf_counter()
    shown = [result for result in results if result.sample]
    if not shown:
        return
    of_rows = [result.report_id for result in shown if result.version_id is None]
    versions = Q(pk__in=[result.version_id for result in shown if result.version_id is not None])
    if of_rows:
        versions |= Q(pk=F("feature__default_version"), feature__group__validation_reports__in=of_rows)
    read = FeatureVersion.objects.filter(versions).select_related("feature__entity").distinct().order_by("pk")
    record_versions_read(list(read), entities=_rows(shown), began=began, token=token)


def record_group_samples_shown(group: FeatureGroup, results: Iterable[RuleResult]) -> None:
    """The same of results of ``group`` whose versions are loaded with their features.

    :raises Unavailable: as above.
    """
    began = time.perf_counter()
    shown = [result for result in results if result.sample]
    if not shown:
        return
    versions = [result.version for result in shown if result.version is not None]
    if len(versions) < len(shown):
        versions += _default_versions(group)
    record_versions_read(_each_once(versions), entities=_rows(shown), began=began)


def samples_of(results: Sequence[int], *, version: FeatureVersion) -> dict[int, Sample]:
    """The samples of these results of rules of ``version`` that are not empty, by id, with an access record of all.

    :raises Unavailable: as above.
    """
    return {pk: sample_table(sample) for pk, sample in stored_samples_of(results, version=version).items()}


def stored_samples_of(results: Sequence[int], *, version: FeatureVersion, token: str = "") -> dict[int, list[Any]]:
    """The same as they are stored.

    :raises Unavailable: as above.
    """
    began = time.perf_counter()
    stored = RuleResult.objects.filter(pk__in=results).values_list("pk", "sample")
    samples = {pk: sample for pk, sample in stored if sample}
    if samples:
        rows = sum(len(sample) for sample in samples.values())
        record_versions_read([version], entities=rows, began=began, token=token)
    return samples


def record_reports_shown(reports: Iterable[ValidationReport], *, access: ReportAccess, request: Request) -> None:
    """The same of the samples that ``access`` shows of ``reports``, for a call of the API.

    :raises Unavailable: as above.
    """
    shown = [result for report in reports for result in report.results.all() if access.shows(result)]
    record_samples_shown(shown, token=token_of(request))


def token_of(request: Request) -> str:
    """The beginning of the token that the call came with, as access records name it; empty without one."""
    return request.auth.prefix if isinstance(request.auth, ApiToken) else ""


def record_rows_shown(group: FeatureGroup, *, rows: int, token: str = "") -> None:
    """Write an access record of whole source rows of ``group``, which the reader sees; none of no rows.

    :raises Unavailable: as above.
    """
    began = time.perf_counter()
    if rows:
        record_versions_read(_each_once(_default_versions(group)), entities=rows, began=began, token=token)


def _default_versions(group: FeatureGroup) -> list[FeatureVersion]:
    return [feature.default_version for feature in features_of(group) if feature.default_version is not None]


def _each_once(versions: Iterable[FeatureVersion]) -> list[FeatureVersion]:
    by_key = {version.pk: version for version in versions}
    return [by_key[key] for key in sorted(by_key)]


def _rows(results: Iterable[RuleResult]) -> int:
    return sum(len(result.sample) for result in results)

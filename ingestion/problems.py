"""What is wrong with the store, so that a person can act on it.

An **error** makes the store unhealthy: values are not what they should be, or will not be. A **warning** is known
and lasting, such as a declared column that the source lacks; it never stops the others and never turns a check red.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db.models import OuterRef, Subquery, Sum

from catalog.durations import format_duration
from catalog.errors import FeatureStoreError
from catalog.models import Feature, FeatureServiceMember, FeatureVersion, Status
from catalog.registration.printing import counts_text
from ingestion.applying import configured, plan_configuration
from ingestion.group_status import GroupStatus
from ingestion.models import WAREHOUSE, GroupLease, IngestionRun, RunState, Source, ValidationReport
from serving.models import FeatureUsage

UNATTENDED = timedelta(minutes=5)


class ProblemLevel(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """``code`` is stable, for programs; ``subject`` names the group, feature or source concerned."""

    level: ProblemLevel
    code: str
    message: str
    subject: str = ""


def find_problems(groups: Sequence[GroupStatus], *, at: datetime) -> list[Problem]:
    """All problems, errors first; the number of queries does not grow with the catalog."""
    found = [
        *_configuration(),
        *_sources(),
        *_groups(groups),
        *_unattended_runs(at),
        *_shortfalls(),
        *_missing_values(),
        *_deprecated_in_use(at),
    ]
    return sorted(found, key=lambda problem: problem.level is not ProblemLevel.ERROR)


def _error(code: str, message: str, subject: str = "") -> Problem:
    return Problem(ProblemLevel.ERROR, code, message, subject)


def _warning(code: str, message: str, subject: str = "") -> Problem:
    return Problem(ProblemLevel.WARNING, code, message, subject)


def _configuration() -> Iterator[Problem]:
    for sentence in settings.FEATURESTORE.warnings:
        yield _warning("configuration", sentence)
    try:
        plan = plan_configuration(configured())
    except FeatureStoreError as error:
        yield _error("configuration", f"the configuration cannot be applied: {error.message}")
        return
    if plan:
        yield _warning(
            "not_applied", f"the catalog is not what the configuration says ({counts_text(plan)}); run manage.py apply"
        )


def _sources() -> Iterator[Problem]:
    required = settings.FEATURESTORE.integration.upstream.step6_required
    for source in Source.objects.all():
        if not Path(source.location).exists():
            tell = _error if required or source.name != WAREHOUSE else _warning
            yield tell("source_missing", f"{source.location} is not there", source.name)


def _groups(groups: Sequence[GroupStatus]) -> Iterator[Problem]:
    for group in groups:
        run = group.last_run
        if run is not None and run.state == RunState.FAILED:
            yield _error("run_failed", f"its last ingestion failed: {run.error or 'see its log'}", group.name)
        elif run is None and group.table_version is None:
            yield _warning("never_ingested", "it was never ingested; run manage.py ingest", group.name)
        if group.is_late and group.age is not None and group.freshness is not None:
            yield _error(
                "late",
                f"its newest event is {format_duration(_rounded(group.age))} old, and "
                f"{format_duration(group.freshness)} is promised",
                group.name,
            )


def _rounded(span: timedelta) -> timedelta:
    """To the minute or, beyond two days, to the hour."""
    unit = 3600 if span > timedelta(days=2) else 60
    return timedelta(seconds=max(1, round(span.total_seconds() / unit)) * unit)


def _unattended_runs(at: datetime) -> Iterator[Problem]:
    leases = {lease.group_id: lease for lease in GroupLease.objects.filter(expires_at__gt=at)}
    runs = IngestionRun.objects.unfinished().filter(created_at__lt=at - UNATTENDED).select_related("group")
    for run in runs.defer("log", "problems"):
        lease = leases.get(run.group_id)
        if lease is None or not lease.is_held(at):
            yield _error(
                "run_stuck",
                f"run {run.pk} is {run.get_state_display()} since {run.created_at:%Y-%m-%d %H:%M} UTC and no worker "
                "looks at it; start a worker and the scheduler (manage.py serve has both)",
                run.group.name,
            )


def _shortfalls() -> Iterator[Problem]:
    """Groups whose newest report missed a quality threshold or a rule of severity fail."""
    latest = ValidationReport.objects.filter(group=OuterRef("group")).order_by("-created_at", "-id").values("pk")[:1]
    reports = ValidationReport.objects.exclude(group__status=Status.ARCHIVED).filter(pk=Subquery(latest))
    for report in reports.select_related("group").order_by("group__name"):
        if not report.passed:
            told = "; ".join(str(item.get("message", "")) for item in report.shortfalls[:3])
            more = f" and {len(report.shortfalls) - 3} more" if len(report.shortfalls) > 3 else ""
            yield _warning("quality", f"its last validation fell short: {told}{more}", report.group.name)


def _missing_values() -> Iterator[Problem]:
    versions = FeatureVersion.objects.ingested().exclude(source_problem="").exclude(feature__status=Status.ARCHIVED)
    for version in versions.select_related("feature__group"):
        feature = version.feature
        yield _warning(
            "no_values", f"version {version.number} has no values: {version.source_problem}", _reference(feature)
        )


def _deprecated_in_use(at: datetime) -> Iterator[Problem]:
    """Deprecated features that an active service pins, or that were read within the days of deprecation warning."""
    users: dict[int, set[str]] = defaultdict(set)
    members = FeatureServiceMember.objects.filter(
        feature__status=Status.DEPRECATED, service__status=Status.ACTIVE
    ).values_list("feature_id", "service__name")
    for feature_id, service in members:
        users[feature_id].add(f"the service {service}")
    notice = settings.FEATURESTORE.deprecation_notice
    usage = (
        FeatureUsage.objects.filter(feature__status=Status.DEPRECATED, day__gt=(at - notice).date())
        .values_list("feature_id", "caller")
        .annotate(online=Sum("online_reads"), historical=Sum("historical_reads"))
    )
    for feature_id, caller, online, historical in usage:
        users[feature_id].add(f"{caller} ({online + historical} reads in {notice.days} days)")
    for feature in Feature.objects.filter(pk__in=users).select_related("group"):
        reason = f" ({feature.status_reason})" if feature.status_reason else ""
        yield _warning(
            "deprecated_in_use",
            f"it is deprecated{reason} and still used by {', '.join(sorted(users[feature.pk]))}",
            _reference(feature),
        )


def _reference(feature: Feature) -> str:
    return f"{feature.group.name}:{feature.name}"

"""What catalog pages say about runs and quality."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpRequest
from django_celery_beat.models import PeriodicTask

from catalog.access import Capability, may
from catalog.clock import now
from catalog.disclosure import shows_rows_of
from catalog.models import FeatureGroup, FeatureVersion, Status
from catalog.panels import Panel, Slot, register
from ingestion.models import IngestionRun, QuarantinedRow, RunKind, RunState, Source, ValidationReport
from ingestion.rule_results import closed_names, rule_rows, sample_table, told
from ingestion.run_figures import strip_of
from ingestion.sample_reads import record_rows_shown, record_samples_shown
from ingestion.schedules import INGEST

_STRIP, _LIST, _SAMPLES = 60, 5, 5


def register_panels() -> None:
    """Add the panels of this app to the pages of the catalog."""
    register(Slot.HOME_TILES, Panel("Runs", "ingestion/panels/home_tiles.html", _home_tiles))
    register(Slot.HOME, Panel("Newest runs", "ingestion/panels/home_runs.html", _home_runs))
    register(Slot.FEATURE_QUALITY, Panel("Rules", "ingestion/panels/feature_rules.html", _feature_rules))
    register(Slot.GROUP_ACTIONS, Panel("Runs", "ingestion/panels/group_actions.html", _group_actions))
    register(Slot.GROUP, Panel("Runs", "ingestion/panels/group_runs.html", _group_runs))
    register(Slot.GROUP, Panel("Quality", "ingestion/panels/group_quality.html", _group_quality))
    register(Slot.GROUP, Panel("Rows kept out", "ingestion/panels/group_quarantine.html", _group_quarantine))
    register(Slot.GROUP_ASIDE, Panel("Source", "ingestion/panels/group_source.html", _group_source))


def _home_tiles(request: HttpRequest, subject: None) -> dict[str, Any]:  # noqa: ARG001
    day = IngestionRun.objects.visible_to(request.user).filter(created_at__gte=now() - timedelta(hours=24))
    failed = Count("pk", filter=Q(state=RunState.FAILED))
    return day.aggregate(runs=Count("pk"), failed=failed)


def _home_runs(request: HttpRequest, subject: None) -> dict[str, Any] | None:  # noqa: ARG001
    groups = FeatureGroup.objects.visible_to(request.user).ingested()
    newest = list(
        IngestionRun.objects.visible_to(request.user).select_related("group").defer("log", "problems")[:_STRIP]
    )
    waiting = groups.exclude(runs__state=RunState.SUCCEEDED, runs__kind=RunKind.INGEST).order_by("name")
    return {
        "strip": strip_of(newest) if newest else None,
        "runs": newest[:_LIST],
        "never_ingested": waiting[:20],
        "stale": _stale(groups),
    }


def _stale(groups: Any) -> list[FeatureGroup]:
    """The groups whose newest value is older than the group's freshness allows."""
    fresh = groups.filter(freshness__isnull=False).annotate(
        newest_event=Max("features__default_version__latest_profile__newest_event")
    )
    at = now()
    return [group for group in fresh if group.newest_event and at - group.newest_event > group.freshness]


def _feature_rules(request: HttpRequest, version: FeatureVersion) -> dict[str, Any]:
    report = _newest_report(version.feature.group)
    shows_rows = may(request.user, Capability.READ_VALUES)
    rules = rule_rows(report, user=request.user, shows_rows=shows_rows, version=version) if report else []
    record_samples_shown(rule.result for rule in rules if rule.rows)
    return {"report": report, "rules": rules}


def _group_actions(request: HttpRequest, group: FeatureGroup) -> dict[str, Any] | None:
    if not may(request.user, Capability.RUN_INGESTION) or group.status == Status.ARCHIVED:
        return None
    return {"group": group}


def _group_runs(request: HttpRequest, group: FeatureGroup) -> dict[str, Any]:
    newest = list(
        IngestionRun.objects.visible_to(request.user).filter(group=group).select_related("group").defer("log")[:_STRIP]
    )
    return {"group": group, "runs": newest[:_LIST], "strip": strip_of(newest) if newest else None}


def _group_quality(request: HttpRequest, group: FeatureGroup) -> dict[str, Any]:
    report = _newest_report(group)
    shows_rows = shows_rows_of(user=request.user, group=group)
    rules = rule_rows(report, user=request.user, shows_rows=shows_rows) if report else []
    closed = closed_names(group, user=request.user)
    broken = [rule for rule in rules if not rule.result.passed]
    record_samples_shown(rule.result for rule in broken if rule.rows)
    return {
        "group": group,
        "report": report,
        "broken": broken,
        "shortfalls": told(report.shortfalls, closed=closed, shows_rows=shows_rows) if report else [],
    }


def _group_quarantine(request: HttpRequest, group: FeatureGroup) -> dict[str, Any] | None:
    kept_out = QuarantinedRow.objects.filter(group=group)
    count = kept_out.count()
    if not count:
        return None
    shows_rows = shows_rows_of(user=request.user, group=group)
    samples = list(kept_out[:_SAMPLES]) if shows_rows else []
    record_rows_shown(group, rows=len(samples))
    return {"group": group, "count": count, "shows_rows": shows_rows, "samples": quarantined(samples)}


def _group_source(request: HttpRequest, group: FeatureGroup) -> dict[str, Any]:
    source = Source.objects.filter(name=group.source).first()
    tasks = PeriodicTask.objects.select_related("crontab", "interval").filter(task=INGEST)
    schedule = tasks.filter(kwargs__contains=f'"{group.name}"').order_by("-enabled", "pk").first()
    # Where the data lies is the business of those who run ingestions, not of every reader.
    may_run = may(request.user, Capability.RUN_INGESTION)
    return {"group": group, "source": source, "shows_location": may_run, "schedule": _schedule_text(schedule)}


def _schedule_text(task: Any) -> str:
    if task is None:
        return ""
    cron = task.crontab
    if cron is None:
        return str(task.interval or task.schedule) + ("" if task.enabled else ", paused")
    line = f"{cron.minute} {cron.hour} {cron.day_of_month} {cron.month_of_year} {cron.day_of_week}"
    return f"{line} {cron.timezone}" + ("" if task.enabled else ", paused")


def quarantined(rows: list[QuarantinedRow]) -> list[tuple[QuarantinedRow, tuple[str, ...], list[tuple[str, ...]]]]:
    """Each row kept out, with its columns and their values as texts."""
    return [(row, *sample_table([row.row])) for row in rows]


def _newest_report(group: FeatureGroup) -> ValidationReport | None:
    return ValidationReport.objects.filter(group=group).select_related("run").first()

"""What catalog pages say about runs and quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db.models import Count, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.access import Capability, may
from catalog.cards import register_card_facts
from catalog.clock import now
from catalog.disclosure import closed_features, shows_rows_of
from catalog.evidence import register_checks
from catalog.models import FeatureGroup, FeatureVersion, Status
from catalog.panels import Panel, Slot, register
from ingestion.card_facts import card_facts
from ingestion.first_steps import first_steps
from ingestion.group_source import source_of
from ingestion.home_runs import groups_of_note, newest_runs, runs_of_day
from ingestion.models import IngestionRun, QuarantinedRow
from ingestion.newest_report import newest_report_of, newest_results_of
from ingestion.rule_history import checks_of, drift_chart, history_of, strips_of
from ingestion.rule_results import closed_names, rule_rows, sample_table, told
from ingestion.run_figures import strip_of
from ingestion.sample_reads import record_group_samples_shown, record_rows_shown, samples_of

_STRIP, _LIST, _SAMPLES = 60, 5, 5


def register_panels() -> None:
    """Add the panels of this app to the pages of the catalog, and what it knows of checks and of features in lists."""
    register_checks(checks_of)
    register_card_facts(card_facts)
    register(Slot.FIRST_STEPS, Panel(gettext_lazy("First steps"), "ingestion/panels/first_steps.html", first_steps))
    register(Slot.HOME_TILES, Panel(gettext_lazy("Runs"), "ingestion/panels/home_tiles.html", _home_tiles))
    register(Slot.HOME, Panel(gettext_lazy("Newest runs"), "ingestion/panels/home_runs.html", _home_runs))
    register(
        Slot.FEATURE_QUALITY,
        Panel(gettext_lazy("Rules"), "ingestion/panels/feature_rules.html", _feature_rules, _rules_twin),
    )
    register(Slot.GROUP_ACTIONS, Panel(gettext_lazy("Runs"), "ingestion/panels/group_actions.html", _group_actions))
    register(Slot.GROUP, Panel(gettext_lazy("Runs"), "ingestion/panels/group_runs.html", _group_runs, _runs_twin))
    register(
        Slot.GROUP, Panel(gettext_lazy("Quality"), "ingestion/panels/group_quality.html", _group_quality, _quality_twin)
    )
    kept_out = Panel(
        gettext_lazy("Rows kept out"), "ingestion/panels/group_quarantine.html", _group_quarantine, _quarantine_twin
    )
    register(Slot.GROUP, kept_out)
    register(
        Slot.GROUP_ASIDE,
        Panel(gettext_lazy("Source"), "ingestion/panels/group_source.html", _group_source, _source_twin),
    )


def _home_tiles(request: HttpRequest, subject: None) -> dict[str, Any]:  # noqa: ARG001
    return asdict(runs_of_day(request.user, at=now()))


def _home_runs(request: HttpRequest, subject: None) -> dict[str, Any] | None:  # noqa: ARG001
    newest, groups = newest_runs(request.user), groups_of_note(request.user, at=now())
    return {
        "strip": strip_of(newest) if newest else None,
        "runs": newest[:_LIST],
        "never_ingested": groups.never_ingested,
        "stale": groups.stale,
    }


def _feature_rules(request: HttpRequest, version: FeatureVersion) -> dict[str, Any]:
    history = history_of(version)
    strips = strips_of(history)
    is_closed = version.feature_id in closed_features(user=request.user, features=[version.feature])
    broken = [strip.newest.pk for strip in strips if strip.newest.failed]
    samples = {} if is_closed or not broken else samples_of(broken, version=version)
    return {
        "report": history[0].report if history else None,
        "rules": [(strip, samples.get(strip.newest.pk)) for strip in strips],
        "drift": drift_chart(history, name=version.feature.name),
        "is_closed": is_closed,
        "has_profile": version.latest_profile is not None,
    }


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
    report = newest_report_of(group)
    shows_rows = shows_rows_of(user=request.user, group=group)
    rules = rule_rows(newest_results_of(group), user=request.user, shows_rows=shows_rows)
    closed = closed_names(group, user=request.user) if report and report.shortfalls else set()
    broken = [rule for rule in rules if not rule.result.passed]
    record_group_samples_shown(group, [rule.result for rule in broken if rule.rows])
    return {
        "group": group,
        "report": report,
        "broken": broken,
        "shortfalls": told(report.shortfalls, closed=closed, shows_rows=shows_rows) if report else [],
    }


def _group_quarantine(request: HttpRequest, group: FeatureGroup) -> dict[str, Any] | None:
    kept_out = QuarantinedRow.objects.filter(group=group)
    counted = kept_out.order_by().values("group").annotate(rows=Count("pk")).values("rows")
    shows_rows = shows_rows_of(user=request.user, group=group)
    # One row at least, because each says how many there are.
    newest = list(kept_out.annotate(kept_out=Subquery(counted))[: _SAMPLES if shows_rows else 1])
    if not newest:
        return None
    samples = newest if shows_rows else []
    record_rows_shown(group, rows=len(samples))
    count = newest[0].kept_out
    return {"group": group, "count": count, "shows_rows": shows_rows, "samples": quarantined(samples)}


def _group_source(request: HttpRequest, group: FeatureGroup) -> dict[str, Any]:
    found = source_of(group, at=now())
    # Where the data lies is the business of those who run ingestions, not of every reader.
    may_run = may(request.user, Capability.RUN_INGESTION)
    schedule = _("%(schedule)s, paused") % {"schedule": found.schedule} if found.is_paused else found.schedule
    return {
        "group": group,
        "source": found.source,
        "shows_location": may_run,
        "schedule": schedule,
        "next_due": found.next_due,
    }


def _rules_twin(version: FeatureVersion) -> str:
    feature = version.feature
    return reverse("feature-quality", kwargs={"ref": f"{feature.group.name}:{feature.name}@{version.number}"})


def _runs_twin(group: FeatureGroup) -> str:
    return f"{reverse('run-list')}?{urlencode({'group': group.name})}"


def _quality_twin(group: FeatureGroup) -> str:
    return reverse("group-quality", kwargs={"name": group.name})


def _quarantine_twin(group: FeatureGroup) -> str:
    return f"{reverse('quarantine-list')}?{urlencode({'group': group.name})}"


def _source_twin(group: FeatureGroup) -> str:
    return reverse("group-source", kwargs={"name": group.name})


def quarantined(rows: Sequence[QuarantinedRow]) -> list[tuple[QuarantinedRow, tuple[str, ...], list[tuple[str, ...]]]]:
    """Each row kept out, with its columns and their values as texts."""
    return [(row, *sample_table([row.row])) for row in rows]

"""Runs: the newest with filters and the last day, and one with its counts, problems, rules, rows kept out and log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.access import Capability, may
from catalog.clock import now
from catalog.disclosure import shows_rows_of
from catalog.drawings import Markup, percentile_table
from catalog.errors import InvalidInput, NotFound
from catalog.models import FeatureGroup
from catalog.twins import list_twin
from catalog.views.access import page
from ingestion.durations import FEWEST, Usual, duration_bar, usual_durations
from ingestion.filters import RunFilter
from ingestion.last_day import day_of
from ingestion.models import IngestionRun, QuarantinedRow, RuleResult, RunKind, RunState, ValidationReport
from ingestion.panels import quarantined
from ingestion.rule_results import RuleRow, closed_names, rule_rows, told
from ingestion.run_comparison import run_before
from ingestion.run_figures import drawn_day, rows_of
from ingestion.sample_reads import record_rows_shown, record_samples_shown

PAGE_SIZE, _SAMPLES, _RULES = 25, 10, 100
LIVE_SECONDS, IDLE_SECONDS = 4, 30


@dataclass(frozen=True)
class RunRow:
    """A run with its duration against what is usual; ``says`` is empty where nothing is usual yet, ``is_long``
    whether it took longer than most, which is what readers look for."""

    run: IngestionRun
    bar: Markup | None
    says: str
    is_long: bool


@require_safe
@page()
def run_list(request: HttpRequest) -> HttpResponse:
    """The newest runs; asked by the page itself, only the part that changes."""
    at = now()
    visible = IngestionRun.objects.visible_to(request.user).select_related("group").defer("log", "error")
    chosen = RunFilter(request.GET, queryset=visible.order_by("-created_at", "-id"))
    if not chosen.is_valid():
        raise InvalidInput("; ".join(f"{name}: {' '.join(texts)}" for name, texts in chosen.errors.items()))
    shown = Paginator(chosen.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    runs = list(shown.object_list)
    usual = usual_durations(runs, at=at) if runs else {}
    context: dict[str, Any] = {
        "page": shown,
        "json_url": list_twin("run-list", shown, parameters=request.GET, kept=tuple(RunFilter.base_filters)),
        "json_parts": [(_("Last 24 hours"), _last_day_twin(request))],
        "rows": [_row(one, usual.get((one.group_id, one.kind))) for one in runs],
        "day": drawn_day(day_of(chosen, at=at, user=request.user)),
        "is_filtered": any(request.GET.get(name) for name in ("group", "state", "kind", "trigger")),
        "every": LIVE_SECONDS if any(not one.is_finished for one in runs) else IDLE_SECONDS,
    }
    if _is_polled(request):
        return _varying(render(request, "ingestion/components/runs_live.html", context))
    names = FeatureGroup.objects.visible_to(request.user).order_by("name").values_list("name", flat=True)
    context["selects"] = [
        ("group", _("Group"), [(name, name) for name in names], request.GET.get("group", "")),
        ("state", _("State"), RunState.choices, request.GET.get("state", "")),
        ("kind", _("Kind"), RunKind.choices, request.GET.get("kind", "")),
    ]
    return _varying(render(request, "ingestion/run_list.html", context))


def _last_day_twin(request: HttpRequest) -> str:
    asked = [(name, value) for name in RunFilter.base_filters for value in request.GET.getlist(name) if value]
    return reverse("run-last-day") + (f"?{urlencode(asked)}" if asked else "")


def _row(run: IngestionRun, usual: Usual | None) -> RunRow:
    says = _says(run, usual)
    is_long = bool(says) and usual is not None and run.seconds is not None and usual.is_exceeded_by(run.seconds)
    return RunRow(run=run, bar=duration_bar(run, usual), says=says, is_long=is_long)


def _says(run: IngestionRun, usual: Usual | None) -> str:
    """How the duration compares, of runs that did all of their work."""
    return "" if usual is None else usual.said_of(run)


@require_safe
@page()
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run; asked by the page itself, how far it is, and the whole page once it has ended."""
    found = run_of(request, run_id)
    if _is_polled(request):
        if found.is_finished:
            return _varying(HttpResponse(headers={"HX-Refresh": "true"}))
        return _varying(render(request, "ingestion/components/run_live.html", {"run": found, "every": LIVE_SECONDS}))
    report = ValidationReport.objects.filter(run=found).first()
    shows_rows = shows_rows_of(user=request.user, group=found.group)
    closed = closed_names(found.group, user=request.user)
    kept_out: QuerySet[QuarantinedRow] = found.quarantined_rows.all()
    samples = list(kept_out[:_SAMPLES]) if shows_rows else []
    rules = rule_rows(_results_of(report), user=request.user, shows_rows=shows_rows) if report else []
    stopped_by, shown = _stopped_by(found, rules), rules[:_RULES]
    record_samples_shown(
        rule.result for rule in [*shown, *(one for one in stopped_by if one not in shown)] if rule.rows
    )
    record_rows_shown(found.group, rows=len(samples))
    usual = usual_durations([found], at=now()).get((found.group_id, found.kind))
    context = {
        "run": found,
        "json_url": reverse("run-detail", kwargs={"pk": found.pk}),
        "json_parts": [(_("Rows kept out"), f"{reverse('quarantine-list')}?{urlencode({'run': str(found.pk)})}")],
        "every": LIVE_SECONDS,
        "report": report,
        "rules": shown,
        "rules_left_out": len(rules) - len(shown),
        "stopped_by": stopped_by,
        "problems": told(found.problems, closed=closed, shows_rows=shows_rows),
        "shortfalls": told(report.shortfalls, closed=closed, shows_rows=shows_rows) if report else [],
        # Errors and logs may quote values; those who run ingestions need them to mend what is broken.
        "shows_log": shows_rows or may(request.user, Capability.RUN_INGESTION),
        "shows_rows": shows_rows,
        "quarantined_count": kept_out.count(),
        "quarantined": quarantined(samples),
        "may_run": may(request.user, Capability.RUN_INGESTION),
        "rows": rows_of(found),
        "usual": usual,
        "usual_bar": duration_bar(found, usual, labels=True, width=300),
        "usual_table": None if usual is None else percentile_table(percentiles=usual.percentiles, mark=found.seconds),
        "usual_says": _says(found, usual),
        "usual_fewest": FEWEST,
        "previous": run_before(found, user=request.user),
    }
    return _varying(render(request, "ingestion/run.html", context))


def _results_of(report: ValidationReport) -> QuerySet[RuleResult]:
    return report.results.select_related("version__feature__group", "version__feature__entity")


def _stopped_by(found: IngestionRun, rules: list[RuleRow]) -> list[RuleRow]:
    """The broken rules of severity fail, where the run failed: they are why."""
    if found.state != RunState.FAILED:
        return []
    return [rule for rule in rules if not rule.result.passed and rule.result.severity == "fail"]


def run_of(request: HttpRequest, run_id: UUID) -> IngestionRun:
    """The run, of those that the reader may know of.

    :raises NotFound: when there is none.
    """
    visible = IngestionRun.objects.visible_to(request.user).select_related("group__entity")
    found = visible.filter(pk=run_id).first()
    if found is None:
        raise NotFound(_("there is no run %(run_id)s") % {"run_id": run_id})
    return found


def _is_polled(request: HttpRequest) -> bool:
    return request.headers.get("HX-Target", "") in ("runs-live", "run-live")


def _varying(response: HttpResponse) -> HttpResponse:
    """The same address gives a part or the whole page by what asks; no cache may mistake one for the other."""
    patch_vary_headers(response, ("HX-Target",))
    return response

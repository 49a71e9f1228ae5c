"""Runs: the newest with filters, and one with its counts, problems, rules, rows kept out and log."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.access import Capability, may
from catalog.disclosure import shows_rows_of
from catalog.errors import InvalidInput, NotFound
from catalog.models import FeatureGroup
from catalog.views.access import page
from ingestion.filters import RunFilter
from ingestion.models import IngestionRun, QuarantinedRow, RunKind, RunState, ValidationReport
from ingestion.panels import quarantined
from ingestion.rule_results import closed_names, rule_rows, told
from ingestion.run_figures import strip_of
from ingestion.sample_reads import record_rows_shown, record_samples_shown

PAGE_SIZE, _STRIP, _SAMPLES = 30, 60, 10


@require_safe
@page()
def run_list(request: HttpRequest) -> HttpResponse:
    visible = IngestionRun.objects.visible_to(request.user)
    chosen = RunFilter(
        request.GET, queryset=visible.select_related("group").defer("log").order_by("-created_at", "-id")
    )
    if not chosen.is_valid():
        raise InvalidInput("; ".join(f"{name}: {' '.join(texts)}" for name, texts in chosen.errors.items()))
    newest = list(chosen.qs[:_STRIP])
    shown = Paginator(chosen.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    names = FeatureGroup.objects.visible_to(request.user).order_by("name").values_list("name", flat=True)
    return render(
        request,
        "ingestion/run_list.html",
        {
            "page": shown,
            "strip": strip_of(newest) if newest else None,
            "selects": [
                ("group", "Group", [(name, name) for name in names], request.GET.get("group", "")),
                ("state", "State", RunState.choices, request.GET.get("state", "")),
                ("kind", "Kind", RunKind.choices, request.GET.get("kind", "")),
            ],
            "is_filtered": any(request.GET.get(name) for name in ("group", "state", "kind", "trigger")),
        },
    )


@require_safe
@page()
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = run_of(request, run_id)
    report = ValidationReport.objects.filter(run=found).first()
    shows_rows = shows_rows_of(user=request.user, group=found.group)
    closed = closed_names(found.group, user=request.user)
    kept_out: QuerySet[QuarantinedRow] = found.quarantined_rows.all()
    samples = list(kept_out[:_SAMPLES]) if shows_rows else []
    rules = rule_rows(report, user=request.user, shows_rows=shows_rows) if report else []
    record_samples_shown(rule.result for rule in rules if rule.rows)
    record_rows_shown(found.group, rows=len(samples))
    return render(
        request,
        "ingestion/run.html",
        {
            "run": found,
            "report": report,
            "rules": rules,
            "problems": told(found.problems, closed=closed, shows_rows=shows_rows),
            "shortfalls": told(report.shortfalls, closed=closed, shows_rows=shows_rows) if report else [],
            # Errors and logs may quote values; those who run ingestions need them to mend what is broken.
            "shows_log": shows_rows or may(request.user, Capability.RUN_INGESTION),
            "shows_rows": shows_rows,
            "quarantined_count": kept_out.count(),
            "quarantined": quarantined(samples),
            "may_run": may(request.user, Capability.RUN_INGESTION),
        },
    )


def run_of(request: HttpRequest, run_id: UUID) -> IngestionRun:
    """The run, of those that the reader may know of.

    :raises NotFound: when there is none.
    """
    visible = IngestionRun.objects.visible_to(request.user).select_related("group__entity")
    found = visible.filter(pk=run_id).first()
    if found is None:
        raise NotFound(f"there is no run {run_id}")
    return found

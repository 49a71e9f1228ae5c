"""Two runs side by side."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from catalog.views.access import page
from ingestion.run_comparison import compare_rules, compare_runs, results_of, two_runs


@require_safe
@page()
def run_compare(request: HttpRequest) -> HttpResponse:
    first, second = two_runs(request.GET.getlist("run"), user=request.user)
    results = results_of([first, second])
    return render(
        request,
        "ingestion/run_compare.html",
        {
            "json_url": f"{reverse('run-compare')}?{urlencode([('run', str(first.pk)), ('run', str(second.pk))])}",
            "first": first,
            "second": second,
            "lines": compare_runs(first, second),
            "rules": compare_rules(results[first.pk], results[second.pk]),
        },
    )

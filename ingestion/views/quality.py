"""The quality of all groups on one page."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.clock import now
from catalog.errors import InvalidInput
from catalog.views.access import page
from catalog.wording import gettext as _
from ingestion.quality.days import DayState, last_days
from ingestion.quality.drawing import drift_line, grid
from ingestion.quality.overview import DAYS, GROUPS_SHOWN, counts_of, days_by_group, drift_league, groups_now

_MOST_LISTED, _MOST_REASONS = 20, 4
WRONG = "wrong"


@require_safe
@page()
def quality(request: HttpRequest) -> HttpResponse:
    only = request.GET.get("only", "")
    if only not in ("", WRONG):
        raise InvalidInput(
            _("only is %(wrong)s or left out, not %(only)r") % {"wrong": WRONG, "only": only}, details={"field": "only"}
        )
    at = now()
    groups = groups_now(user=request.user, at=at)
    failing = [one for one in groups if one.is_failing]
    late = [one for one in groups if one.is_late]
    listed = [one for one in groups if not only or one.is_failing or one.is_late]
    shown = Paginator(listed, GROUPS_SHOWN).get_page(request.GET.get("page"))
    rows = list(shown.object_list)
    drawn, table = (None, None) if not rows else grid(rows, days_by_group(rows, at=at), days=last_days(at, count=DAYS))
    league = drift_league(groups, user=request.user, at=at)
    counts = counts_of(groups, league)
    return render(
        request,
        "ingestion/quality.html",
        {
            "json_url": reverse("quality") + (f"?only={only}" if only else ""),
            "groups": groups,
            "page": shown,
            "only": only,
            "drawing": drawn,
            "table": table,
            "legend": [state.value for state in DayState],
            "failing": [
                (one, one.reasons[:_MOST_REASONS], one.reasons[_MOST_REASONS:]) for one in failing[:_MOST_LISTED]
            ],
            "failing_count": counts.failing,
            "late": late[:_MOST_LISTED],
            "late_count": counts.late,
            "never": [one for one in groups if one.is_new],
            "good_count": counts.good,
            "league": [(one, drift_line(one)) for one in league],
            "drifting_count": counts.drifting,
            "days": DAYS,
        },
    )

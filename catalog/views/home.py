"""The start page: search first, then what is mine, what may be relied on, and how the store is doing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.clock import now
from catalog.drawings import Markup, sparkline
from catalog.home_lists import lists_for
from catalog.home_numbers import HomeNumbers, numbers_of, without_values
from catalog.panels import Slot, panels_for
from catalog.search import Criteria, find_features
from catalog.views.access import page

_PROBLEMS = 10


@require_safe
@page()
def home(request: HttpRequest) -> HttpResponse:
    every = find_features(user=request.user, criteria=Criteria())
    numbers = numbers_of(every, at=now())
    count = numbers.features
    unserved = without_values(request.user) if count else []
    return render(
        request,
        "catalog/home.html",
        {
            "feature_count": count,
            "feature_growth": _growth(numbers) if count else None,
            "group_count": numbers.groups,
            "entity_count": numbers.entities,
            "newest_event": numbers.newest_event,
            "lists": lists_for(request.user, every=every) if count else [],
            "problems": unserved[:_PROBLEMS],
            "more_problems": max(len(unserved) - _PROBLEMS, 0),
            "first_steps": panels_for(Slot.FIRST_STEPS, request=request),
            "tiles": panels_for(Slot.HOME_TILES, request=request),
            "panels": panels_for(Slot.HOME, request=request) if count else [],
            "json_url": reverse("api-home"),
        },
    )


def _growth(numbers: HomeNumbers) -> Markup:
    counts = [float(count) for _day, count in numbers.growth]
    return sparkline(
        values=counts,
        title=_("Features on each of the last 30 days"),
        description=_("From %(first)d to %(last)d.") % {"first": counts[0], "last": counts[-1]},
        width=120,
        height=28,
    )

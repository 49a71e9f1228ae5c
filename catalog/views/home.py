"""The start page: search first, then how the store is doing."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import Entity, Feature, FeatureGroup, FeatureVersion, Status
from catalog.models.feature import FeatureQuerySet
from catalog.panels import Slot, panels_for
from catalog.views.access import page

_RECENT, _PROBLEMS = 8, 10


@require_safe
@page()
def home(request: HttpRequest) -> HttpResponse:
    features = Feature.objects.visible_to(request.user)
    groups = FeatureGroup.objects.visible_to(request.user)
    count = features.count()
    unserved = _without_values(request)
    return render(
        request,
        "catalog/home.html",
        {
            "feature_count": count,
            "group_count": groups.count(),
            "entity_count": Entity.objects.filter(groups__in=groups).distinct().count(),
            "newest_event": _newest_event(features),
            "recent": features.with_details().order_by("-updated_at", "name")[:_RECENT] if count else [],
            "problems": unserved[:_PROBLEMS],
            "more_problems": max(len(unserved) - _PROBLEMS, 0),
            "tiles": panels_for(Slot.HOME_TILES, request=request),
            "panels": panels_for(Slot.HOME, request=request),
        },
    )


def _newest_event(features: FeatureQuerySet) -> datetime | None:
    profiles = FeatureVersion.objects.filter(feature__in=features, latest_profile__newest_event__isnull=False)
    newest = profiles.order_by("-latest_profile__newest_event").values_list("latest_profile__newest_event", flat=True)
    return newest.first()


def _without_values(request: HttpRequest) -> list[FeatureVersion]:
    """The default versions whose source gives no values now, with the reason."""
    versions = FeatureVersion.objects.visible_to(request.user).exclude(source_problem="")
    versions = versions.exclude(feature__status=Status.ARCHIVED)
    return list(
        versions.filter(feature__default_version=F("pk"))
        .select_related("feature__group")
        .order_by("feature__name")[:200]
    )

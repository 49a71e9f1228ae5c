"""Feature groups: all of them, and one with its features, source and schedule."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from catalog.access import Capability, Reader, may
from catalog.disclosure import closed_features
from catalog.drawings import Markup, completeness_bar
from catalog.errors import NotFound
from catalog.figures import HistogramFigure, histogram_of
from catalog.figures import top_values_of as top_values_figure
from catalog.models import Feature, FeatureGroup, Status
from catalog.panels import Slot, panels_for
from catalog.presentation import format_share
from catalog.views.access import page
from catalog.views.quality import thresholds

PAGE_SIZE = 50
FEATURES_SHOWN = 60


@dataclass(frozen=True)
class FeatureTile:
    """A feature with its small drawings."""

    feature: Feature
    drawing: Markup | None
    completeness: Markup | None
    is_closed: bool


@require_safe
@page()
def group_list(request: HttpRequest) -> HttpResponse:
    current = Q(features__status=Status.ACTIVE)
    groups = (
        FeatureGroup.objects.visible_to(request.user)
        .select_related("entity")
        .prefetch_related("tags")
        .annotate(
            feature_count=Count("features", filter=~Q(features__status=Status.ARCHIVED), distinct=True),
            unserved_count=Count(
                "features", filter=current & ~Q(features__default_version__source_problem=""), distinct=True
            ),
            newest_event=Max("features__default_version__latest_profile__newest_event"),
        )
        .order_by("name")
    )
    shown = Paginator(groups, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "catalog/group_list.html", {"page": shown})


@require_safe
@page()
def group(request: HttpRequest, name: str) -> HttpResponse:
    found = group_named(name, user=request.user)
    features = Feature.objects.visible_to(request.user).with_details().filter(group=found).order_by("name")
    shown = Paginator(features, FEATURES_SHOWN).get_page(request.GET.get("page"))
    tiles = _tiles(list(shown.object_list), user=request.user)
    return render(
        request,
        "catalog/group.html",
        {
            "group": found,
            "page": shown,
            "tiles": tiles,
            "admin_url": _admin_url(request, found),
            "actions": panels_for(Slot.GROUP_ACTIONS, request=request, subject=found),
            "panels": panels_for(Slot.GROUP, request=request, subject=found),
            "aside": panels_for(Slot.GROUP_ASIDE, request=request, subject=found),
        },
    )


def group_named(name: str, *, user: Reader) -> FeatureGroup:
    """The group called ``name``.

    :raises NotFound: when there is none that ``user`` may know of; details["nearest"] lists names that are alike.
    """
    visible = FeatureGroup.objects.visible_to(user)
    found = visible.select_related("entity").prefetch_related("tags").filter(name=name).first()
    if found is None:
        near = difflib.get_close_matches(name, list(visible.values_list("name", flat=True)[:5000]), n=3)
        raise NotFound(f"there is no feature group {name!r}", details={"nearest_groups": near})
    return found


def _tiles(features: list[Feature], *, user: Reader) -> list[FeatureTile]:
    closed = closed_features(user=user, features=features)
    least = thresholds()["completeness"]
    return [_tile(feature, is_closed=feature.pk in closed, least=least) for feature in features]


def _tile(feature: Feature, *, is_closed: bool, least: float | None) -> FeatureTile:
    profile = None if feature.default_version is None else feature.default_version.latest_profile
    if profile is None:
        return FeatureTile(feature=feature, drawing=None, completeness=None, is_closed=is_closed)
    figure: HistogramFigure | None = None
    drawing: Markup | None = None
    if not is_closed:
        figure = histogram_of(profile, name=feature.name, width=280, height=96)
        tops = None if figure else top_values_figure(profile, name=feature.name, width=320)
        drawing = figure.drawing if figure else tops.drawing if tops else None
    bar = completeness_bar(
        share=profile.completeness,
        threshold=least,
        title=f"completeness of {feature.name}: {format_share(profile.completeness)}",
        description="The share of entities that have a value.",
    )
    return FeatureTile(feature=feature, drawing=drawing, completeness=bar, is_closed=is_closed)


def _admin_url(request: HttpRequest, found: FeatureGroup) -> str:
    if not (getattr(request.user, "is_staff", False) and may(request.user, Capability.EDIT_CATALOG)):
        return ""
    try:
        return reverse("admin:catalog_featuregroup_change", args=[found.pk])
    except NoReverseMatch:
        return ""

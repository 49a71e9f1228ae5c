"""Where the palette leads: features, groups, services and pages by a few letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from catalog.access import Reader
from catalog.models import FeatureGroup, FeatureService
from catalog.search import Criteria, find_features
from catalog.search.words import split_words
from catalog.views.access import page

_FEATURES, _OTHERS = 7, 4
_SCANNED = 2_000

# (URL name, what it is called); those that an installation does not have are left out.
_PAGES = (
    ("catalog:home", gettext_lazy("Home")),
    ("catalog:search", gettext_lazy("Search features")),
    ("catalog:group-list", gettext_lazy("Groups")),
    ("catalog:service-list", gettext_lazy("Services")),
    ("serving:dataset-list", gettext_lazy("Training datasets")),
    ("catalog:lineage", gettext_lazy("Lineage")),
    ("ingestion:quality", gettext_lazy("Quality")),
    ("ingestion:run-list", gettext_lazy("Runs")),
    ("catalog:compare", gettext_lazy("Compare features")),
    ("catalog:me", gettext_lazy("My page")),
    ("serving:my-tokens", gettext_lazy("My API tokens")),
    ("api-docs", gettext_lazy("API")),
)


@dataclass(frozen=True)
class Place:
    name: str
    href: str
    note: str = ""
    is_code: bool = True


@require_safe
@page()
def palette(request: HttpRequest) -> HttpResponse:
    q = request.GET.get("q", "").strip()[:200]
    parts = [
        (_("Features"), _features(q, request.user)),
        (_("Groups"), _named(FeatureGroup.objects.visible_to(request.user), q, "catalog:group")),
        (_("Services"), _named(FeatureService.objects.visible_to(request.user), q, "catalog:service")),
        (_("Pages"), _pages(q)),
    ]
    if q:
        everything = Place(_("All that fits “%s”") % q, f"{reverse('catalog:search')}?{urlencode({'q': q})}", "", False)
        parts.append((_("Search"), [everything]))
    return render(request, "catalog/components/palette_list.html", {"parts": [part for part in parts if part[1]]})


def _features(q: str, user: Reader) -> list[Place]:
    if not q:
        return []
    found = find_features(user=user, criteria=Criteria(text=q))
    return [
        Place(
            feature.name,
            f"{reverse('catalog:feature', args=[feature.name])}?{urlencode({'group': feature.group.name})}",
            feature.group.name,
        )
        for feature in found[:_FEATURES]
    ]


def _named(rows: QuerySet[Any], q: str, route: str) -> list[Place]:
    """Those whose name has every word, the shortest first; without words the first ones by name."""
    words = split_words(q)
    if q and not words:
        return []
    for word in words:
        rows = rows.filter(name__contains=word)
    found = list(rows.order_by("name").values_list("name", "description")[: _SCANNED if words else _OTHERS])
    found.sort(key=lambda pair: (not pair[0].startswith("_".join(words)), len(pair[0]) if words else 0, pair[0]))
    return [Place(name, reverse(route, args=[name]), note[:80]) for name, note in found[:_OTHERS]]


def _pages(q: str) -> list[Place]:
    places = []
    for route, label in _PAGES:
        try:
            href = reverse(route)
        except NoReverseMatch:
            continue
        if all(any(part.startswith(word) for part in split_words(str(label))) for word in split_words(q)):
            places.append(Place(str(label), href, "", False))
    return places

"""Finding features: search, facets, sorting, pages; the whole state is in the address."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.errors import InvalidInput
from catalog.facets import chips_of, facets_of
from catalog.filters import FeatureFilter
from catalog.models import Feature
from catalog.search import did_you_mean
from catalog.views.access import page

PAGE_SIZE = 24
LAYOUTS = ("table", "cards")

# (parameter, label) of the orders offered; the empty one is relevance with a search, the name without.
ORDERINGS = (
    ("name", "name"),
    ("-name", "name, last first"),
    ("group", "group"),
    ("data_type", "type"),
    ("-updated_at", "newest change"),
    ("-created_at", "newest feature"),
    ("completeness", "least complete"),
    ("-newest_event", "freshest values"),
)


@require_safe
@page()
def feature_list(request: HttpRequest) -> HttpResponse:
    visible = Feature.objects.visible_to(request.user)
    chosen = FeatureFilter(request.GET, queryset=visible.with_details())
    if not chosen.is_valid():
        raise InvalidInput("; ".join(f"{name}: {' '.join(texts)}" for name, texts in chosen.errors.items()))
    shown = Paginator(chosen.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    q = (request.GET.get("q") or request.GET.get("search") or "").strip()
    layout = request.GET.get("layout")
    is_empty = not shown.paginator.count
    return render(
        request,
        "catalog/feature_list.html",
        {
            "page": shown,
            "q": q,
            "facets": facets_of(features=visible, parameters=request.GET),
            "chips": chips_of(request.GET),
            "orderings": ORDERINGS,
            "ordering": request.GET.get("ordering", ""),
            "kept": [(name, value) for name, values in request.GET.lists() if name not in _OWN for value in values],
            "layout": layout if layout in LAYOUTS else LAYOUTS[0],
            "did_you_mean": did_you_mean(q, user=request.user) if is_empty and q else (),
            "is_catalog_empty": is_empty and not visible.exists(),
        },
    )


_OWN = frozenset({"q", "search", "ordering", "page"})

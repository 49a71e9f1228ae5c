"""Finding features: search, facets, sorting, pages; the whole state is in the address."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from catalog.cards import Card, cards_of
from catalog.comparing import MOST_COMPARED
from catalog.errors import InvalidInput
from catalog.facets import Chip, Facet, Loosened, chips_of, facets_of, ways_out
from catalog.filters import FeatureFilter
from catalog.models import Feature, SavedView
from catalog.saved_views import opened
from catalog.search import FoundFeatures, find_features
from catalog.search.tokens import TOKENS
from catalog.views.access import page

PAGE_SIZE = 24
LAYOUTS = ("cards", "table")

# (parameter, label) of the orders offered; the empty one is relevance with a search, the name without.
ORDERINGS = (
    ("name", gettext_lazy("name")),
    ("-name", gettext_lazy("name, last first")),
    ("-reads", gettext_lazy("most read")),
    ("group", gettext_lazy("group")),
    ("data_type", gettext_lazy("type")),
    ("-updated_at", gettext_lazy("newest change")),
    ("-created_at", gettext_lazy("newest feature")),
    ("completeness", gettext_lazy("least complete")),
    ("-newest_event", gettext_lazy("freshest values")),
)
_OWN = frozenset({"q", "search", "ordering", "page", "view"})


@dataclass(frozen=True)
class Beside:
    """What stands beside the results."""

    facets: list[Facet] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    ways_out: list[Loosened] = field(default_factory=list)
    did_you_mean: tuple[str, ...] = ()


@require_safe
@page()
def search(request: HttpRequest) -> HttpResponse:
    parameters, view = opened(request.GET, user=request.user)
    q = " ".join(text for text in (parameters.get("q", "").strip(), parameters.get("search", "").strip()) if text)
    layout = parameters.get("layout", "")
    context: dict[str, object] = {
        "q": q,
        "view": view,
        "orderings": ORDERINGS,
        "ordering": parameters.get("ordering", ""),
        "layout": layout if layout in LAYOUTS else LAYOUTS[0],
        "kept": [(name, value) for name, values in parameters.lists() if name not in _OWN for value in values],
        "kept_query": _kept_query(parameters),
        "tokens": TOKENS,
        "most_compared": MOST_COMPARED,
    }
    status = 200
    try:
        criteria = FeatureFilter(parameters, queryset=Feature.objects.none()).criteria(user=request.user)
    except InvalidInput as error:
        status = error.status
        context |= {"fault": error.message, "json_url": f"{reverse('feature-search')}?{_asked(parameters)}"}
    else:
        context |= _results(request, find_features(user=request.user, criteria=criteria), parameters)
    details = HtmxDetails(request)
    is_part = bool(details) and details.target == "results" and not details.history_restore_request
    template = "catalog/components/search_results.html" if is_part else "catalog/search.html"
    if not is_part:
        context["views"] = SavedView.objects.visible_to(request.user).select_related("user")[:30]
    answer = render(request, template, context, status=status)
    patch_vary_headers(answer, ("HX-Request", "HX-Target"))
    return answer


@require_safe
def feature_list(request: HttpRequest) -> HttpResponse:
    """The address of the list before it was the search."""
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(reverse("catalog:search") + (f"?{query}" if query else ""))


def _results(request: HttpRequest, found: FoundFeatures, parameters: QueryDict) -> dict[str, object]:
    shown = Paginator(found, PAGE_SIZE).get_page(parameters.get("page"))
    cards: list[Card] = cards_of(request, list(shown.object_list), found)
    is_empty = not shown.paginator.count
    return {
        "page": shown,
        "json_url": _twin(parameters, found, page=shown.number),
        "cards": cards,
        "found": found,
        "corrected": sorted(found.hits.corrected.items()),
        "dropped": found.hits.dropped,
        "is_catalog_empty": is_empty and not found.count_of_visible,
        "beside": Beside(
            facets=facets_of(found, parameters),
            chips=chips_of(found, parameters),
            ways_out=ways_out(found, parameters) if is_empty else [],
            did_you_mean=found.did_you_mean(),
        ),
    }


def _kept_query(parameters: QueryDict) -> str:
    """The search without its page, as a view keeps it."""
    kept = parameters.copy()
    for name in ("page", "view"):
        kept.pop(name, None)
    return kept.urlencode()


def _twin(parameters: QueryDict, found: FoundFeatures, *, page: int) -> str:
    """The address of the same in the API, where nothing to search by is the list."""
    is_search = bool(found.criteria.text or found.criteria.restrictions or parameters.get("view"))
    paging = {"page": str(page), "page_size": str(PAGE_SIZE), **({"facets": "true"} if is_search else {})}
    asked = "&".join(filter(None, (_asked(parameters), urlencode(paging))))
    return f"{reverse('feature-search' if is_search else 'feature-list')}?{asked}"


def _asked(parameters: QueryDict) -> str:
    """What of the address both know: not how the results are laid out."""
    known = (*FeatureFilter.base_filters, "view")
    return urlencode([(name, value) for name, values in parameters.lists() if name in known for value in values])

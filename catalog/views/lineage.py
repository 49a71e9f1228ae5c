"""Where one feature comes from and where it goes, on a page of its own."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.errors import UnknownReference
from catalog.lineage_figure import lineage_figure
from catalog.models import Feature
from catalog.references import nearest_names
from catalog.search import ranked_by
from catalog.views.access import page

_DEPTHS = tuple(range(1, 7))
PAGE_SIZE = 60


@require_safe
@page()
def lineage(request: HttpRequest) -> HttpResponse:
    name, given = request.GET.get("feature", "").strip(), request.GET.get("depth", "")
    depth = int(given) if given in {str(one) for one in _DEPTHS} else 3
    visible = Feature.objects.visible_to(request.user).select_related("group", "entity")
    context: dict[str, object] = {"name": name, "depth": depth, "depths": _DEPTHS}
    if not name:
        q = request.GET.get("q", "")
        found = ranked_by(visible, q)
        context |= {"page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")), "q": q}
        return render(request, "catalog/lineage.html", context)
    named = visible.filter(name=name).order_by("entity__name", "pk")
    group = request.GET.get("group", "")
    chosen = (named.filter(group__name=group) if group else named).first()
    if chosen is None:
        near = nearest_names(name, user=request.user)
        raise UnknownReference(f"there is no feature {name!r}", details={"nearest": near})
    context |= {"feature": chosen, "lineage": lineage_figure(chosen, depth=depth, user=request.user)}
    return render(request, "catalog/lineage.html", context)

"""Where one thing comes from and where it goes: a drawing, a list, and who is affected when it breaks."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from catalog.drawings.standalone import standalone
from catalog.drawings.svg import slug
from catalog.errors import NotFound
from catalog.lineage_map.gathering import Gathered, gather, require_known
from catalog.lineage_map.impact import impact
from catalog.lineage_map.outline import outline
from catalog.lineage_map.picture import Picture, draw
from catalog.lineage_map.question import DEEPEST_SIDE, LineageQuestion, read_question
from catalog.models import LineageNode, NodeKind
from catalog.search import Criteria, find_features
from catalog.twins import list_twin
from catalog.views.access import page
from catalog.wording import gettext as _

PAGE_SIZE = 60
_MOST_AFFECTED = 100


@require_safe
@page()
def lineage(request: HttpRequest) -> HttpResponse:
    question = _asked(request)
    if not question.feature and not question.node:
        return _choice(request)
    found = gather(question, user=request.user)
    require_known(found, question)
    picture = draw(found, question)
    affected = impact(found)
    return render(
        request,
        "catalog/lineage.html",
        {
            "json_url": f"{reverse('metadata-lineage')}?{question.query()}",
            "subject": found.subject,
            "feature": found.subject.feature,
            "question": question,
            "picture": picture,
            "lists": _lists(picture),
            "affected": affected[:_MOST_AFFECTED],
            "affected_more": max(len(affected) - _MOST_AFFECTED, 0),
            "wrong": _wrong(found),
            "depths": range(DEEPEST_SIDE + 1),
            "kinds": [(kind.value, kind.label, kind.value in question.kinds) for kind in NodeKind],
            "legend": _legend(picture),
            "exports": _exports(question),
            "all_query": question.query(kinds=frozenset(), only_failing=False),
        },
    )


@require_safe
@page()
def lineage_drawing(request: HttpRequest) -> HttpResponse:
    """The drawing alone, as an SVG file."""
    question = _asked(request)
    found = gather(question, user=request.user)
    require_known(found, question)
    picture = draw(found, question)
    if picture is None:
        raise NotFound(
            _("no lineage of %(title)s is known yet, so there is nothing to draw") % {"title": found.subject.title}
        )
    address = request.build_absolute_uri(reverse("catalog:lineage"))
    name = f"lineage-{slug(found.subject.title)}.svg"
    return HttpResponse(
        standalone(picture.drawing, address=address),
        content_type="image/svg+xml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _asked(request: HttpRequest) -> LineageQuestion:
    return read_question(dict(request.GET.lists()), kinds=NodeKind.values)


def _choice(request: HttpRequest) -> HttpResponse:
    """Which feature, or which table, service or dataset."""
    q = request.GET.get("q", "")
    found = find_features(user=request.user, criteria=Criteria(text=q))
    tables = LineageNode.objects.visible_to(request.user).filter(kind__in=(NodeKind.RAW_TABLE, NodeKind.SOURCE_TABLE))
    shown = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "catalog/lineage_choice.html",
        {
            "page": shown,
            "json_url": list_twin("feature-list", shown, parameters=request.GET, kept=("q",)),
            "q": q,
            "tables": [] if q else list(tables.order_by("kind", "name")[:20]),
        },
    )


def _lists(picture: Picture | None) -> list[dict[str, object]]:
    if picture is None:
        return []
    told = []
    for title, upward in (("Made from", True), ("Made into", False)):
        lines, cut = outline(picture.focus, edges=picture.edges, upward=upward)
        told.append(
            {
                "upward": upward,
                "title": title,
                "cut": cut,
                "lines": [{"line": line, "node": picture.nodes[line.node]} for line in lines],
            }
        )
    return told


def _wrong(found: Gathered) -> int:
    return sum(1 for node in found.whole.nodes if found.state_of(node.id).is_wrong)


def _legend(picture: Picture | None) -> list[tuple[str, str]]:
    """The kinds that are drawn, in the order of the layers: class and label."""
    if picture is None:
        return []
    drawn = {node.style for node in picture.nodes.values()}
    return [(slug(kind.style), str(kind.label)) for kind in NodeKind if kind.style in drawn]


def _exports(question: LineageQuestion) -> list[tuple[str, str]]:
    """The same question in other forms; those of apps that are not there are left out."""
    found = []
    for label, route in (
        ("SVG", "catalog:lineage-drawing"),
        ("JSON", "metadata-lineage"),
        ("OpenLineage", "metadata-lineage-openlineage"),
    ):
        try:
            found.append((label, f"{reverse(route)}?{question.query()}"))
        except NoReverseMatch:
            continue
    return found

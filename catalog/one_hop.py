"""What a feature is made from directly, and what is made from it: one hop each way, in one query."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q
from django.urls import NoReverseMatch, reverse

from catalog.access import Reader
from catalog.drawings import GraphEdge, GraphNode, Markup, lineage_graph
from catalog.models import Feature, LineageEdge, LineageNode, NodeKind, Status
from catalog.wording import gettext as _

_MOST = 400
_DRAWN = 24


@dataclass(frozen=True)
class Neighbour:
    """A node beside the feature; ``href`` is empty where it has no page."""

    kind: str
    label: str
    name: str
    href: str
    transformation: str


@dataclass(frozen=True)
class Neighbours:
    """``drawing`` is None where nothing is known; ``left_out`` is how many of the list it has no room for."""

    above: tuple[Neighbour, ...]
    below: tuple[Neighbour, ...]
    drawing: Markup | None
    left_out: int

    @property
    def datasets(self) -> tuple[Neighbour, ...]:
        return tuple(one for one in self.below if one.kind == NodeKind.DATASET)


def neighbours_of(feature: Feature, *, user: Reader) -> Neighbours:
    """The nodes one hop above and below all versions of ``feature``, as far as ``user`` may know of them."""
    visible = LineageNode.objects.visible_to(user)
    # The feature's few edges are found first, by either end's index, and only they are looked at for what is visible:
    # as lists of all visible nodes, both conditions together would be tried in every combination.
    own = LineageNode.objects.filter(feature=feature).order_by().values("pk")
    touching = LineageEdge.objects.filter(Q(source__in=own) | Q(target__in=own))
    edges = list(
        touching.filter(Exists(visible.filter(pk=OuterRef("source"))), Exists(visible.filter(pk=OuterRef("target"))))
        .select_related("source__feature__group", "target__feature__group")
        .order_by("source__kind", "source__name", "target__kind", "target__name")[:_MOST]
    )
    above = [edge for edge in edges if edge.target.feature_id == feature.pk and edge.source.feature_id != feature.pk]
    below = [edge for edge in edges if edge.source.feature_id == feature.pk and edge.target.feature_id != feature.pk]
    drawn = [*above[: _DRAWN // 2], *below[: _DRAWN // 2]]
    return Neighbours(
        above=_told([(edge.source, edge.transformation) for edge in above]),
        below=_told([(edge.target, edge.transformation) for edge in below]),
        drawing=_drawing(feature, drawn) if drawn else None,
        left_out=len(above) + len(below) - len(drawn),
    )


def _told(nodes: list[tuple[LineageNode, str]]) -> tuple[Neighbour, ...]:
    first: dict[int, Neighbour] = {}
    for node, transformation in nodes:
        first.setdefault(node.pk, Neighbour(node.kind, _kind(node), _name(node), _href(node) or "", transformation))
    return tuple(first.values())


def _drawing(feature: Feature, edges: list[LineageEdge]) -> Markup:
    nodes = {node.pk: node for edge in edges for node in (edge.source, edge.target)}
    return lineage_graph(
        nodes=[
            GraphNode(
                id=str(node.pk),
                kind=_kind(node),
                style=NodeKind(node.kind).style,
                name=_name(node),
                href=_href(node),
                is_focus=node.feature_id == feature.pk,
                state=_state(node),
            )
            for node in nodes.values()
        ],
        edges=[
            GraphEdge(source=str(edge.source_id), target=str(edge.target_id), transformation=edge.transformation)
            for edge in edges
        ],
        title=_("What %s is made from, and what is made from it") % feature.name,
        description=_("%(nodes)s nodes, %(steps)s steps; the list below says the same.")
        % {"nodes": len(nodes), "steps": len(edges)},
    )


def _state(node: LineageNode) -> str:
    """Deprecated or nothing: what runs say of it stands in the lineage of its own page."""
    feature = node.feature
    is_old = feature is not None and Status.DEPRECATED in (feature.status, feature.group.status)
    return str(Status.DEPRECATED) if is_old else ""


def _kind(node: LineageNode) -> str:
    return str(NodeKind(node.kind).label)


def _name(node: LineageNode) -> str:
    # A training dataset's node ends with its id, which tells two of one name apart and is no name.
    return node.name.rpartition("/")[0] or node.name if node.kind == NodeKind.DATASET else node.name


def _href(node: LineageNode) -> str | None:
    if node.kind == NodeKind.SERVICE:
        return reverse("catalog:service", args=[node.name])
    if node.kind == NodeKind.FEATURE and node.feature is not None:
        query = urlencode({"group": node.feature.group.name})
        return f"{reverse('catalog:feature', args=[node.feature.name])}?{query}"
    if node.kind == NodeKind.DATASET:
        # Its page is of an app above.
        with suppress(NoReverseMatch):
            return reverse("serving:dataset", args=[node.name.rpartition("/")[2]])
    return None

"""The lineage of a feature as a drawing, and the list that says the same."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from catalog.access import Reader
from catalog.drawings import GraphEdge, GraphNode, Markup, lineage_graph
from catalog.lineage import Direction, walk
from catalog.models import Feature, LineageNode, NodeKind


@dataclass(frozen=True)
class LineageStep:
    """``target`` is made from ``source`` through ``transformation``."""

    source: GraphNode
    target: GraphNode
    transformation: str


@dataclass(frozen=True)
class LineageFigure:
    """``truncated`` says that more is known than was followed."""

    drawing: Markup
    steps: list[LineageStep]
    truncated: bool = False


def lineage_figure(feature: Feature, *, depth: int, user: Reader) -> LineageFigure | None:
    """What is known within ``depth`` steps up and down, as far as ``user`` may see it; None when nothing is."""
    graph = walk(feature, depth=depth, direction=Direction.BOTH, user=user)
    if not graph.edges:
        return None
    features = _features_of([node.name for node in graph.nodes if node.kind == NodeKind.FEATURE])
    nodes = {
        str(node.id): GraphNode(
            id=str(node.id),
            kind=NodeKind(node.kind).label,
            name=node.name,
            href=_href(node.kind, node.name, features),
            is_focus=features.get(node.name, (0, "", ""))[0] == feature.pk and node.kind == NodeKind.FEATURE,
        )
        for node in graph.nodes
    }
    edges = [
        GraphEdge(source=str(edge.source), target=str(edge.target), transformation=edge.transformation)
        for edge in graph.edges
    ]
    drawn = lineage_graph(
        nodes=list(nodes.values()),
        edges=edges,
        title=f"Lineage of {feature.name}",
        description=f"{len(nodes)} nodes and {len(edges)} steps; the list below says the same.",
    )
    steps = [
        LineageStep(source=nodes[edge.source], target=nodes[edge.target], transformation=edge.transformation)
        for edge in edges
    ]
    return LineageFigure(drawing=drawn, steps=steps, truncated=graph.truncated)


def _features_of(names: list[str]) -> dict[str, tuple[int, str, str]]:
    """Per node name the feature's key, its name and its group's."""
    nodes = LineageNode.objects.filter(kind=NodeKind.FEATURE, name__in=names, feature__isnull=False)
    rows = nodes.values_list("name", "feature_id", "feature__name", "feature__group__name")
    return {name: (key, feature, group) for name, key, feature, group in rows}


def _href(kind: str, name: str, features: dict[str, tuple[int, str, str]]) -> str | None:
    if kind == NodeKind.SERVICE:
        return reverse("catalog:service", args=[name])
    if kind == NodeKind.FEATURE and name in features:
        _, feature, group = features[name]
        return f"{reverse('catalog:feature', args=[feature])}?{urlencode({'group': group})}"
    return None

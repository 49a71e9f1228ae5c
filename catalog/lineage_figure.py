"""The lineage of a feature as a drawing, and the list that says the same."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from catalog.access import Reader
from catalog.drawings import GraphEdge, GraphNode, Markup, lineage_graph
from catalog.lineage import Direction, LineageGraph, walk, walk_from
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
    features = _features_of([node.name for node in graph.nodes if node.kind == NodeKind.FEATURE])
    focus = {
        node.id
        for node in graph.nodes
        if node.kind == NodeKind.FEATURE and features.get(node.name, (0, "", ""))[0] == feature.pk
    }
    return _drawn(graph, features, focus=focus, title=f"Lineage of {feature.name}")


def lineage_figure_of(node: LineageNode, *, depth: int, title: str, user: Reader) -> LineageFigure | None:
    """The same around one node of any kind."""
    starts = LineageNode.objects.filter(pk=node.pk)
    graph = walk_from(starts, depth=depth, direction=Direction.BOTH, user=user)
    features = _features_of([found.name for found in graph.nodes if found.kind == NodeKind.FEATURE])
    return _drawn(graph, features, focus={node.pk}, title=title)


def _drawn(
    graph: LineageGraph, features: dict[str, tuple[int, str, str]], *, focus: set[int], title: str
) -> LineageFigure | None:
    if not graph.edges:
        return None
    nodes = {
        str(node.id): GraphNode(
            id=str(node.id),
            kind=NodeKind(node.kind).label,
            name=node.name,
            href=_href(node.kind, node.name, features),
            is_focus=node.id in focus,
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
        title=title,
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
    if kind == NodeKind.DATASET:
        # Its page is of an app above, and its name ends with its id.
        with suppress(NoReverseMatch):
            return reverse("serving:dataset", args=[name.rpartition("/")[2]])
    return None

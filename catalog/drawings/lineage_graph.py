"""Where a feature comes from and where it goes, drawn from left to right."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.drawings.lineage_layout import Layout, Place, arrange, nearest
from catalog.drawings.svg import (
    Markup,
    drawing,
    element,
    label,
    link,
    number,
    placeholder,
    safe_href,
    shorten,
    slug,
    tooltip,
)

MAX_NODES = 60
MAX_EDGES = 240
_NODE_WIDTH, _NODE_HEIGHT = 196.0, 42.0
_COLUMN, _ROW, _REST_ROW = 244.0, 56.0, 20.0
_PAD = 12.0
_NAME_LIMIT = 24


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A table, column, feature or model; ``is_focus`` marks the one that the page is about."""

    id: str
    kind: str
    name: str
    href: str | None = None
    is_focus: bool = False


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """``source`` flows into ``target`` through ``transformation``."""

    source: str
    target: str
    transformation: str = ""


def lineage_graph(*, nodes: Sequence[GraphNode], edges: Sequence[GraphEdge], title: str, description: str) -> Markup:
    """A layered graph, as large as it needs to be; show it inside a part that scrolls.

    At most MAX_NODES nodes are drawn, those nearest to the focus, and the drawing says how many are
    left out. Cycles and edges to unknown nodes do no harm.
    """
    by_id = {node.id: node for node in nodes}
    pairs = {(edge.source, edge.target): edge for edge in edges}
    kept = nearest(
        nodes=list(by_id),
        edges=pairs,
        start=[node.id for node in by_id.values() if node.is_focus],
        most=MAX_NODES,
    )
    if not kept:
        return placeholder(
            kind="lineage",
            width=320,
            height=64,
            title=title,
            description=description,
            reason="No lineage known",
        )
    inside = set(kept)
    among = [pair for pair in pairs if pair[0] in inside and pair[1] in inside][:MAX_EDGES]
    layout = arrange(nodes=kept, edges=among)
    places, height = _positions(layout)
    width = 2 * _PAD + (len(layout.layers) - 1) * _COLUMN + _NODE_WIDTH
    drawn = [_edge(pairs[pair], route, places) for pair, route in layout.routes.items()]
    drawn += [_node(by_id[node], *places[node]) for node in kept]
    hidden = len(by_id) - len(kept)
    if hidden:
        note = f"and {hidden:,} more that are not drawn"
        drawn.append(label(note, x=_PAD, y=height + 12, class_="d-note"))
        height += 20
    return drawing(
        kind="lineage",
        width=width,
        height=height,
        title=title,
        description=description,
        children=drawn,
        has_links=any(safe_href(by_id[node].href) for node in kept),
    )


def _positions(layout: Layout) -> tuple[dict[Place, tuple[float, float]], float]:
    """The left middle of every place, and the height of the whole."""
    heights = [sum(_row(place) for place in layer) for layer in layout.layers]
    tallest = max(heights)
    places: dict[Place, tuple[float, float]] = {}
    for column, (layer, height) in enumerate(zip(layout.layers, heights, strict=True)):
        y = _PAD + (tallest - height) / 2
        for place in layer:
            places[place] = (_PAD + column * _COLUMN, y + _row(place) / 2)
            y += _row(place)
    return places, tallest + 2 * _PAD


def _row(place: Place) -> float:
    return _ROW if isinstance(place, str) else _REST_ROW


def _node(node: GraphNode, x: float, y: float) -> Markup:
    top = y - _NODE_HEIGHT / 2
    kind = node.kind.replace("_", " ")
    focus = " d-node--focus" if node.is_focus else ""
    shape = element(
        "g",
        tooltip(f"{kind}: {node.name}"),
        element("rect", x=x, y=top, width=_NODE_WIDTH, height=_NODE_HEIGHT, rx=5, class_="d-node__box"),
        element("rect", x=x, y=top + 6, width=4, height=_NODE_HEIGHT - 12, rx=2, class_="d-node__kind-bar"),
        label(shorten(kind, 24), x=x + 13, y=top + 16, class_="d-node__kind"),
        label(shorten(node.name, _NAME_LIMIT), x=x + 13, y=top + 32, class_="d-node__name"),
        class_=f"d-node d-node--{slug(node.kind)}{focus}",
    )
    return link(shape, href=node.href, name=f"{kind} {node.name}")


def _edge(edge: GraphEdge, route: Sequence[Place], places: dict[Place, tuple[float, float]]) -> Markup:
    backward = places[route[0]][0] > places[route[-1]][0]
    steps = [places[place] for place in (reversed(route) if backward else route)]
    x, y = steps[0][0] + _NODE_WIDTH, steps[0][1]
    path = [f"M{number(x)} {number(y)}"]
    for index, (left, middle) in enumerate(steps[1:], start=1):
        bend = (x + left) / 2
        path.append(f"C{number(bend)} {number(y)} {number(bend)} {number(middle)} {number(left)} {number(middle)}")
        x, y = left, middle
        if index < len(steps) - 1:
            x += _NODE_WIDTH
            path.append(f"H{number(x)}")
    if backward:
        tip, tail = steps[0][0] + _NODE_WIDTH, 7.0
        at = steps[0][1]
    else:
        tip, tail, at = x, -7.0, y
    arrow = " ".join(f"{tip + dx:.2f},{at + dy:.2f}" for dx, dy in ((0, 0), (tail, -4), (tail, 4)))
    said = edge.transformation or "flows into"
    return element(
        "g",
        tooltip(said),
        element("path", d=" ".join(path), class_="d-edge__line"),
        element("polygon", points=arrow, class_="d-edge__tip"),
        class_="d-edge d-edge--backward" if backward else "d-edge",
    )

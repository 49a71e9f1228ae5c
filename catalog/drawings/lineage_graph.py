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
from catalog.terms import word_of
from catalog.wording import gettext as _

MAX_NODES = 60
MAX_EDGES = 240
_NODE_WIDTH, _NODE_HEIGHT = 180.0, 42.0
_COLUMN, _ROW, _REST_ROW = 220.0, 54.0, 20.0
_PAD = 12.0
_NAME_LIMIT, _KIND_LIMIT = 22, 28


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A table, column, feature or model; ``is_focus`` marks the one that the page is about.

    Nodes of one ``rank`` stand in one layer, smaller ranks to the left; without ranks the edges alone decide.
    ``kind`` is what it is called, ``style`` the tail of its class where that is not the kind.
    ``state`` failing (a cross), late (a triangle) or deprecated (a crossed circle) is a mark in the corner.
    A node that stands for ``holds`` others is drawn as a stack.
    ``origin`` stands beside the kind: the table of a column, the group of a feature. ``full_name`` is told where the
    pointer rests.
    """

    id: str
    kind: str
    name: str
    href: str | None = None
    is_focus: bool = False
    rank: int | None = None
    state: str = ""
    holds: int = 0
    origin: str = ""
    full_name: str = ""
    style: str = ""


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
            reason=_("No lineage known"),
        )
    inside = set(kept)
    among = [pair for pair in pairs if pair[0] in inside and pair[1] in inside][:MAX_EDGES]
    ranks = {node: rank for node in kept if (rank := by_id[node].rank) is not None}
    layout = arrange(nodes=kept, edges=among, ranks=ranks or None)
    places, height = _positions(layout)
    width = 2 * _PAD + (len(layout.layers) - 1) * _COLUMN + _NODE_WIDTH
    drawn = [_edge(pairs[pair], route, places) for pair, route in layout.routes.items()]
    drawn += [_node(by_id[node], *places[node]) for node in kept]
    hidden = len(by_id) - len(kept)
    if hidden:
        note = _("and %(count)s more that are not drawn") % {"count": f"{hidden:,}"}
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
    # The mark of a state stands in the corner, where a long line would reach.
    room = _KIND_LIMIT - 4 if node.state else _KIND_LIMIT
    kind_line = shorten(f"{kind} · {node.origin}" if node.origin else kind, room)
    focus = " d-node--focus" if node.is_focus else ""
    said = f"{kind}: {node.full_name or node.name}" + (f", {word_of(node.state)}" if node.state else "")
    if node.holds:
        said += " " + _("(%(count)s together; follow to see each)") % {"count": f"{node.holds:,}"}
    shape = element(
        "g",
        tooltip(said),
        *_stack(node, x, top),
        element("rect", x=x, y=top, width=_NODE_WIDTH, height=_NODE_HEIGHT, rx=5, class_="d-node__box"),
        element("rect", x=x, y=top + 6, width=4, height=_NODE_HEIGHT - 12, rx=2, class_="d-node__kind-bar"),
        label(kind_line, x=x + 13, y=top + 16, class_="d-node__kind"),
        label(shorten(node.name, _NAME_LIMIT), x=x + 13, y=top + 32, class_="d-node__name"),
        *_state(node, x, top),
        class_=f"d-node d-node--{slug(node.style or node.kind)}{focus}",
    )
    return link(shape, href=node.href, name=said.replace(": ", " ", 1))


def _stack(node: GraphNode, x: float, top: float) -> list[Markup]:
    if not node.holds:
        return []
    right, bottom = number(x + _NODE_WIDTH), number(top + _NODE_HEIGHT)
    return [
        element(
            "path",
            d=f"M{number(x + 6)} {bottom}v4H{number(x + _NODE_WIDTH + 4)}V{number(top + 6)}H{right}",
            class_="d-node__stack",
        )
    ]


def _state(node: GraphNode, x: float, top: float) -> list[Markup]:
    if not node.state:
        return []
    right = x + _NODE_WIDTH - 16
    if node.state == "failing":
        shape = f"M{number(right)} {number(top + 7)}l8 8m0 -8l-8 8"
    elif node.state == "deprecated":
        shape = f"M{number(right)} {number(top + 11)}a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0m1.3 3.2l6.4 -6.4"
    else:
        shape = f"M{number(right + 4)} {number(top + 7)}l5 9h-10z"
    return [element("path", d=shape, class_=f"d-node__state d-node__state--{slug(node.state)}")]


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
    said = edge.transformation or _("flows into")
    return element(
        "g",
        tooltip(said),
        element("path", d=" ".join(path), class_="d-edge__line"),
        element("polygon", points=arrow, class_="d-edge__tip"),
        class_="d-edge d-edge--backward" if backward else "d-edge",
    )

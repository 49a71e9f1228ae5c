"""The drawing of a lineage: layers from source to model, collapsed until it can be read, every node a link."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from catalog.drawings import GraphEdge, GraphNode, Markup, lineage_graph
from catalog.lineage import GraphNode as Node
from catalog.lineage_map.addresses import lineage_around, page_of
from catalog.lineage_map.collapsing import Member, collapse
from catalog.lineage_map.facts import NodeState
from catalog.lineage_map.gathering import Gathered, label_of, origin_of
from catalog.lineage_map.question import LineageQuestion
from catalog.models import NodeKind
from catalog.wording import Promise, gettext_lazy
from catalog.wording import gettext as _

RANKS = {kind: rank for rank, kind in enumerate(NodeKind.values)}
# A table stands beside the step that makes its columns, not behind it.
RANKS[NodeKind.SOURCE_TABLE] = RANKS[NodeKind.TRANSFORMATION]
_WEIGHTS = {NodeState.FAILING: 2e15, NodeState.LATE: 1e15, NodeState.DEPRECATED: 0.0, NodeState.FINE: 0.0}
_WORST_FIRST = (NodeState.FAILING, NodeState.LATE, NodeState.DEPRECATED)
_PLURALS: dict[NodeKind, Promise] = {
    NodeKind.RAW_TABLE: gettext_lazy("raw tables"),
    NodeKind.RAW_COLUMN: gettext_lazy("raw columns"),
    NodeKind.TRANSFORMATION: gettext_lazy("transformations"),
    NodeKind.SOURCE_TABLE: gettext_lazy("source tables"),
    NodeKind.SOURCE_COLUMN: gettext_lazy("source columns"),
    NodeKind.FEATURE: gettext_lazy("features"),
    NodeKind.SERVICE: gettext_lazy("feature services"),
    NodeKind.DATASET: gettext_lazy("training datasets"),
    NodeKind.MODEL: gettext_lazy("models"),
}


@dataclass(frozen=True)
class Opened:
    """A cluster that the reader has opened, and the query that closes it again."""

    label: str
    query: str


@dataclass(frozen=True)
class Step:
    """``target`` is made from ``source`` through ``transformation``."""

    source: GraphNode
    target: GraphNode
    transformation: str


@dataclass(frozen=True)
class Picture:
    """``nodes`` and ``edges`` as drawn; a collapsed node's id starts with ``stack:``. Pairs of ids as edges."""

    drawing: Markup
    nodes: dict[str, GraphNode]
    edges: dict[tuple[str, str], str]
    opened: list[Opened]
    focus: list[str]
    collapsed: int
    truncated: bool

    @property
    def steps(self) -> list[Step]:
        """The edges as drawn, each with its two nodes."""
        return [Step(self.nodes[source], self.nodes[target], said) for (source, target), said in self.edges.items()]


def draw(found: Gathered, question: LineageQuestion, *, here: bool = True) -> Picture | None:
    """The drawing; None where no edge is known. On another page than that of the lineage (not ``here``) what is
    collapsed leads to it."""
    if not found.graph.edges:
        return None
    page = "" if here else reverse("catalog:lineage")
    members = {str(node.id): _member(node, found) for node in found.graph.nodes}
    collapsed = collapse(list(members.values()), expand=question.expand)
    by_id = {str(node.id): node for node in found.graph.nodes}
    nodes = {one: _node(by_id[one], found) for one in collapsed.shown}
    stands_for: dict[str, str] = {one: one for one in collapsed.shown}
    for cluster, held in collapsed.stacks.items():
        stack = f"stack:{cluster}"
        nodes[stack] = _stack(cluster, [by_id[one] for one in held], found, question, page=page)
        stands_for |= dict.fromkeys(held, stack)
    edges: dict[tuple[str, str], str] = {}
    for edge in found.graph.edges:
        pair = (stands_for[str(edge.source)], stands_for[str(edge.target)])
        if pair[0] != pair[1]:
            # How each of many is made is told where they are opened, not at their stack.
            edges[pair] = edge.transformation if pair == (str(edge.source), str(edge.target)) else ""
    hidden = sum(len(held) for held in collapsed.stacks.values())
    drawing = lineage_graph(
        nodes=list(nodes.values()),
        edges=[GraphEdge(source=a, target=b, transformation=said) for (a, b), said in edges.items()],
        title=_("Lineage of %s") % found.subject.title,
        description=_description(found, hidden),
    )
    return Picture(
        drawing=drawing,
        nodes=nodes,
        edges=edges,
        opened=[_opened(name, question) for name in sorted(collapsed.opened)],
        focus=[str(one) for one in found.focus],
        collapsed=hidden,
        truncated=found.whole.truncated,
    )


def _description(found: Gathered, hidden: int) -> str:
    nodes, edges = len(found.graph.nodes), len(found.graph.edges)
    said = {"nodes": nodes, "steps": edges, "hidden": hidden}
    if hidden:
        return (
            _(
                "%(nodes)s nodes and %(steps)s steps, from the source at the left. %(hidden)s of them are put "
                "together. The list below says the same."
            )
            % said
        )
    return _("%(nodes)s nodes and %(steps)s steps, from the source at the left. The list below says the same.") % said


def _member(node: Node, found: Gathered) -> Member:
    facts = found.facts.get(node.id)
    weight = 0.0 if facts is None else _WEIGHTS[facts.state] + min(float(facts.reads or 0), 1e14)
    return Member(id=str(node.id), cluster=_cluster(node, found), weight=weight, is_focus=node.id in found.focus)


def _cluster(node: Node, found: Gathered) -> str:
    """The kind and where it belongs."""
    origin = origin_of(node, found.features)
    return f"{node.kind}:{origin}" if origin else str(node.kind)


def _node(node: Node, found: Gathered) -> GraphNode:
    return GraphNode(
        id=str(node.id),
        kind=str(NodeKind(node.kind).label),
        style=NodeKind(node.kind).style,
        name=label_of(node, found.features),
        href=page_of(node, found.features) or lineage_around(node, found.features),
        is_focus=node.id in found.focus,
        rank=RANKS[NodeKind(node.kind)],
        state=found.state_of(node.id).value,
        origin=origin_of(node, found.features),
        full_name="" if node.kind == NodeKind.DATASET else node.name,
    )


def _stack(cluster: str, held: list[Node], found: Gathered, question: LineageQuestion, *, page: str) -> GraphNode:
    kind = NodeKind(cluster.partition(":")[0])
    origin = cluster.partition(":")[2]
    states = {found.state_of(node.id) for node in held}
    state = next((one for one in _WORST_FIRST if one in states), NodeState.FINE)
    name = _("%(count)s more %(kinds)s") if cluster in question.expand else _("%(count)s %(kinds)s")
    return GraphNode(
        id=f"stack:{cluster}",
        kind=str(kind.label),
        style=kind.style,
        name=name % {"count": f"{len(held):,}", "kinds": _PLURALS[kind]},
        origin=origin,
        href=f"{page}?{question.query(expand=(*question.expand, cluster))}",
        rank=RANKS[kind],
        state=state.value,
        holds=len(held),
    )


def _opened(cluster: str, question: LineageQuestion) -> Opened:
    kind, _colon, origin = cluster.partition(":")
    said = {"kinds": _PLURALS[NodeKind(kind)], "origin": origin}
    label = _("%(kinds)s of %(origin)s") % said if origin else str(said["kinds"])
    rest = tuple(name for name in question.expand if name != cluster)
    return Opened(label=label, query=question.query(expand=rest))

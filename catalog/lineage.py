"""Where values come from and where they go: recording the graph and walking it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef

from catalog.access import Reader
from catalog.errors import InvalidInput
from catalog.models import Feature, LineageEdge, LineageNode
from catalog.models.lineage import LineageNodeQuerySet

DEFAULT_DEPTH = 10
DEEPEST = 50
MOST_NODES = 1000
_CHUNK = 500


class Direction(StrEnum):
    UP = "up"  # to what it is made from
    DOWN = "down"  # to what is made from it
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class NodeToRecord:
    """A node as it should stand in the catalog; found again by kind and name."""

    kind: str
    name: str
    description: str = ""
    feature_id: int | None = None

    @property
    def identity(self) -> tuple[str, str]:
        return (self.kind, self.name[:255])


@dataclass(frozen=True, slots=True)
class EdgeToRecord:
    """``target`` is made from ``source``, both by (kind, name)."""

    source: tuple[str, str]
    target: tuple[str, str]
    transformation: str = ""


@dataclass(frozen=True, slots=True)
class GraphNode:
    id: int
    kind: str
    name: str
    description: str = ""
    feature_id: int | None = None


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """``target`` is made from ``source``; both are node ids."""

    source: int
    target: int
    transformation: str = ""


@dataclass(frozen=True)
class LineageGraph:
    """What was reached; ``truncated`` says that there was more than :data:`MOST_NODES` nodes."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    truncated: bool = False


def walk(
    feature: Feature,
    *,
    depth: int = DEFAULT_DEPTH,
    direction: Direction | str = Direction.BOTH,
    user: Reader,
) -> LineageGraph:
    """The graph around ``feature``: all of its versions, and what lies within ``depth`` steps up, down or both.

    Nodes that ``user`` may not know of are left out, and so is what lies behind them. The number of queries
    grows with the depth that is reached alone.

    :raises InvalidInput: when ``depth`` is below 0 or above :data:`DEEPEST`, or ``direction`` is another word.
    """
    return walk_from(LineageNode.objects.filter(feature=feature), depth=depth, direction=direction, user=user)


def walk_from(
    starts: LineageNodeQuerySet,
    *,
    depth: int = DEFAULT_DEPTH,
    direction: Direction | str = Direction.BOTH,
    user: Reader,
) -> LineageGraph:
    """The graph around the nodes ``starts``; otherwise as :func:`walk`."""
    if not 0 <= depth <= DEEPEST:
        raise InvalidInput(f"depth must be from 0 to {DEEPEST}, and {depth} is not", details={"depth": depth})
    if direction not in set(Direction):
        raise InvalidInput(
            f"direction must be up, down or both, and {direction!r} is not", details={"direction": str(direction)}
        )
    return walk_around(
        starts,
        up=0 if direction == Direction.DOWN else depth,
        down=0 if direction == Direction.UP else depth,
        user=user,
    )


def walk_around(starts: LineageNodeQuerySet, *, up: int, down: int, user: Reader) -> LineageGraph:
    """The graph within ``up`` steps to what the nodes ``starts`` are made from, and ``down`` steps the other way.

    Nodes that ``user`` may not know of are left out, and so is what lies behind them. One query per step and
    way.
    """
    nodes = {node.pk: node for node in starts.visible_to(user)[:MOST_NODES]}
    edges: dict[int, LineageEdge] = {}
    truncated = False
    above, below = set(nodes), set(nodes)
    for step in range(max(up, down)):
        above, below = (above if step < up else set()), (below if step < down else set())
        if not above and not below:
            break
        upward: set[int] = set()
        downward: set[int] = set()
        for edge in _neighbours(above=above, below=below, user=user):
            ways = (
                (edge.source, upward, edge.target_id in above),
                (edge.target, downward, edge.source_id in below),
            )
            for other, reached, leads in ways:
                if not leads:
                    continue
                if other.pk not in nodes:
                    if len(nodes) >= MOST_NODES:
                        truncated = True
                        continue
                    nodes[other.pk] = other
                    reached.add(other.pk)
                edges[edge.pk] = edge
        above, below = upward, downward
    return LineageGraph(
        nodes=tuple(
            GraphNode(
                id=node.pk,
                kind=node.kind,
                name=node.name,
                description=node.description,
                feature_id=node.feature_id,
            )
            for node in nodes.values()
        ),
        edges=tuple(
            GraphEdge(source=edge.source_id, target=edge.target_id, transformation=edge.transformation)
            for edge in edges.values()
        ),
        truncated=truncated,
    )


def record_lineage(*, nodes: Iterable[NodeToRecord], edges: Iterable[EdgeToRecord]) -> dict[tuple[str, str], int]:
    """Make the catalog hold these nodes and edges; returns the key of each node by (kind, name).

    Recording the same again changes nothing. Runs within the caller's transaction; two processes that record
    the same at once both succeed. Every end of an edge must be among the nodes.
    """
    wanted = {node.identity: node for node in nodes}
    stored = _stored(list(wanted))
    LineageNode.objects.bulk_create(
        (
            LineageNode(kind=kind, name=name, description=node.description, feature_id=node.feature_id)
            for (kind, name), node in wanted.items()
            if (kind, name) not in stored
        ),
        ignore_conflicts=True,
    )
    if len(stored) < len(wanted):
        stored = _stored(list(wanted))
    changed = []
    for identity, known in stored.items():
        node = wanted[identity]
        if (known.description, known.feature_id) != (node.description, node.feature_id):
            known.description, known.feature_id = node.description, node.feature_id
            changed.append(known)
    LineageNode.objects.bulk_update(changed, ["description", "feature_id"], batch_size=_CHUNK)
    keys = {identity: node.pk for identity, node in stored.items()}
    _record_edges({(keys[edge.source], keys[edge.target]): edge.transformation for edge in edges})
    return keys


def _record_edges(wanted: dict[tuple[int, int], str]) -> None:
    known: dict[tuple[int, int], LineageEdge] = {}
    targets = sorted({target for _, target in wanted})
    for start in range(0, len(targets), _CHUNK):
        for edge in LineageEdge.objects.filter(target__in=targets[start : start + _CHUNK]):
            known[edge.source_id, edge.target_id] = edge
    LineageEdge.objects.bulk_create(
        (
            LineageEdge(source_id=source, target_id=target, transformation=transformation)
            for (source, target), transformation in wanted.items()
            if (source, target) not in known
        ),
        ignore_conflicts=True,
    )
    changed = []
    for ends, transformation in wanted.items():
        edge_known = known.get(ends)
        if edge_known is not None and edge_known.transformation != transformation:
            edge_known.transformation = transformation
            changed.append(edge_known)
    LineageEdge.objects.bulk_update(changed, ["transformation"], batch_size=_CHUNK)


def _stored(identities: Sequence[tuple[str, str]]) -> dict[tuple[str, str], LineageNode]:
    wanted = set(identities)
    names = sorted({name for _, name in identities})
    found: dict[tuple[str, str], LineageNode] = {}
    for start in range(0, len(names), _CHUNK):
        for node in LineageNode.objects.filter(name__in=names[start : start + _CHUNK]):
            if (node.kind, node.name) in wanted:
                found[node.kind, node.name] = node
    return found


def _neighbours(*, above: set[int], below: set[int], user: Reader) -> list[LineageEdge]:
    """The edges that lead into ``above`` and out of ``below``, with their ends, as far as ``user`` may see both."""
    visible = LineageNode.objects.visible_to(user)
    found: list[LineageEdge] = []
    # One query per side: one for both would look at every edge. The other end is looked up for each edge that is found.
    for ends, other, node in (("target", "source", above), ("source", "target", below)):
        if node:
            seen = Exists(visible.filter(pk=OuterRef(f"{other}_id")))
            edges = LineageEdge.objects.filter(seen, **{f"{ends}__in": node}).select_related("source", "target")
            found += edges[: MOST_NODES * 4]
    return found

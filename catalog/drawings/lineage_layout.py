"""Where the nodes of a directed graph stand: layers from left to right, few crossings.

The classic four steps (Sugiyama, Tagawa, Toda 1981): cycles are broken, every node gets the layer of
its longest way from a source, long edges get a resting place in every layer they pass, and the order
within the layers is improved by the barycentre of the neighbours. The same input gives the same
picture.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_SWEEPS = 6

Place: TypeAlias = str | tuple[str, str, int]
"""A node, or the resting place of the edge (source, target) in a layer."""


@dataclass(frozen=True, slots=True)
class Layout:
    """``layers[i]`` from top to bottom; ``routes[edge]`` are the places an edge passes, ends included.

    An edge that would close a cycle has a route from right to left.
    """

    layers: tuple[tuple[Place, ...], ...]
    routes: dict[tuple[str, str], tuple[Place, ...]]


def nearest(*, nodes: Sequence[str], edges: Iterable[tuple[str, str]], start: Sequence[str], most: int) -> list[str]:
    """At most ``most`` of ``nodes``, in their order, those few steps from ``start`` first."""
    if len(nodes) <= most:
        return list(nodes)
    beside: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        beside[source].append(target)
        beside[target].append(source)
    known = set(nodes)
    kept: dict[str, None] = {}
    waiting = [node for node in start if node in known] or list(nodes[:1])
    for node in waiting:
        kept.setdefault(node)
    for node in waiting:
        for other in beside[node]:
            if other in known and other not in kept and len(kept) < most:
                kept[other] = None
                waiting.append(other)
    chosen = set(list(kept)[:most])
    for node in nodes:
        if len(chosen) >= most:
            break
        chosen.add(node)
    return [node for node in nodes if node in chosen]


def arrange(
    *, nodes: Sequence[str], edges: Sequence[tuple[str, str]], ranks: Mapping[str, int] | None = None
) -> Layout:
    """The layout of distinct ``nodes``; edges to themselves or to unknown nodes are not routed.

    With ``ranks`` the nodes of one rank stand in one layer, as far as the edges allow: what is made from something
    always stands to the right of it. Layers without a node are left out.
    """
    known = set(nodes)
    usable = list(dict.fromkeys((a, b) for a, b in edges if a in known and b in known and a != b))
    closing = _closing_edges(nodes, usable)
    # Both directions between two nodes are one edge for the layers.
    forward = list(dict.fromkeys((b, a) if (a, b) in closing else (a, b) for a, b in usable))
    layer = _layers(nodes, forward) if ranks is None else _ranked_layers(nodes, forward, ranks)
    count = max(layer.values(), default=-1) + 1
    layers: list[list[Place]] = [[] for _ in range(count)]
    for node in nodes:
        layers[layer[node]].append(node)
    ways: dict[tuple[str, str], tuple[Place, ...]] = {}
    for source, target in forward:
        rests: list[Place] = [(source, target, at) for at in range(layer[source] + 1, layer[target])]
        for rest, at in zip(rests, range(layer[source] + 1, layer[target]), strict=True):
            layers[at].append(rest)
        ways[source, target] = (source, *rests, target)
    _reduce_crossings(layers, ways.values())
    routes = {(a, b): tuple(reversed(ways[b, a])) if (a, b) in closing else ways[a, b] for a, b in usable}
    return Layout(layers=tuple(tuple(one) for one in layers), routes=routes)


def _closing_edges(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """The edges that lead back to a node still open in a depth-first walk; without them, no cycle."""
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
    closing: set[tuple[str, str]] = set()
    done: set[str] = set()
    for root in nodes:
        if root in done:
            continue
        open_nodes = {root}
        stack = [(root, iter(after[root]))]
        while stack:
            node, rest = stack[-1]
            for target in rest:
                if target in open_nodes:
                    closing.add((node, target))
                elif target not in done:
                    open_nodes.add(target)
                    stack.append((target, iter(after[target])))
                    break
            else:
                stack.pop()
                open_nodes.discard(node)
                done.add(node)
    return closing


def _layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    layer, after = _pushed(nodes, edges, dict.fromkeys(nodes, 0))
    for node in set(nodes) - {target for _, target in edges}:
        # A source stands just before what it feeds, not at the far left.
        if after[node]:
            layer[node] = min(layer[target] for target in after[node]) - 1
    return layer


def _ranked_layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]], ranks: Mapping[str, int]) -> dict[str, int]:
    layer, _ = _pushed(nodes, edges, {node: ranks.get(node, 0) for node in nodes})
    places = {rank: place for place, rank in enumerate(sorted(set(layer.values())))}
    return {node: places[rank] for node, rank in layer.items()}


def _pushed(
    nodes: Sequence[str], edges: Sequence[tuple[str, str]], least: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """The layer of every node, at least ``least`` and right of all that it is made from; and what follows each."""
    after: dict[str, list[str]] = defaultdict(list)
    missing = dict.fromkeys(nodes, 0)
    for source, target in edges:
        after[source].append(target)
        missing[target] += 1
    layer = dict(least)
    ready = [node for node in nodes if not missing[node]]
    for node in ready:
        for target in after[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return layer, after


def _reduce_crossings(layers: list[list[Place]], ways: Iterable[tuple[Place, ...]]) -> None:
    before: dict[Place, list[Place]] = defaultdict(list)
    after: dict[Place, list[Place]] = defaultdict(list)
    for way in ways:
        for left, right in zip(way, way[1:], strict=False):
            after[left].append(right)
            before[right].append(left)
    for sweep in range(_SWEEPS):
        rightward = sweep % 2 == 0
        beside = before if rightward else after
        order = range(1, len(layers)) if rightward else range(len(layers) - 2, -1, -1)
        for at in order:
            fixed = layers[at - 1] if rightward else layers[at + 1]
            # Places count from the middle of their layer, as they are drawn.
            height = {place: index - (len(fixed) - 1) / 2 for index, place in enumerate(fixed)}
            own = {place: index - (len(layers[at]) - 1) / 2 for index, place in enumerate(layers[at])}
            wanted = {place: _centre(beside[place], height, own[place]) for place in layers[at]}
            layers[at].sort(key=wanted.__getitem__)


def _centre(neighbours: Sequence[Place], height: dict[Place, float], otherwise: float) -> float:
    return sum(height[one] for one in neighbours) / len(neighbours) if neighbours else otherwise

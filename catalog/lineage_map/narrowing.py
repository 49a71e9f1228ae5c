"""A part of a graph: only some kinds, only what leads to what is wrong (pure: no Django)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)
Edges = Mapping[tuple[Node, Node], str]


def reachable(start: Iterable[Node], pairs: Iterable[tuple[Node, Node]]) -> dict[Node, int]:
    """The steps from ``start`` along ``pairs`` to every node that can be reached, itself included."""
    after: dict[Node, list[Node]] = defaultdict(list)
    for source, target in pairs:
        after[source].append(target)
    steps = dict.fromkeys(start, 0)
    waiting = list(steps)
    for node in waiting:
        for target in after[node]:
            if target not in steps:
                steps[target] = steps[node] + 1
                waiting.append(target)
    return steps


def leading_to(wanted: Collection[Node], *, focus: Collection[Node], pairs: Sequence[tuple[Node, Node]]) -> set[Node]:
    """``focus``, and every node on a way between it and one of ``wanted``, up or down."""
    back = [(target, source) for source, target in pairs]
    kept = set(focus)
    for along, against in ((pairs, back), (back, pairs)):
        from_focus = reachable(focus, along)
        to_wanted = reachable([node for node in wanted if node in from_focus], against)
        kept |= {node for node in to_wanted if node in from_focus}
    return kept


def contracted(edges: Edges[Node], *, kept: Collection[Node]) -> dict[tuple[Node, Node], str]:
    """The edges among ``kept`` nodes; a way through others becomes one edge that names nothing."""
    inside = set(kept)
    after: dict[Node, list[Node]] = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
    found: dict[tuple[Node, Node], str] = {}
    for node in inside:
        seen: set[Node] = set()
        waiting = [(target, True) for target in after[node]]
        for target, direct in waiting:
            if target in inside:
                if target != node:
                    found.setdefault((node, target), edges[node, target] if direct else "")
            elif target not in seen:
                seen.add(target)
                waiting += [(further, False) for further in after[target]]
    return found

"""What is affected when something upstream breaks, the greatest harm first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from catalog.lineage import GraphNode
from catalog.lineage_map.addresses import lineage_around, page_of
from catalog.lineage_map.facts import NodeState
from catalog.lineage_map.gathering import Gathered, label_of
from catalog.lineage_map.narrowing import reachable
from catalog.models import NodeKind

AFFECTED = (NodeKind.SERVICE, NodeKind.MODEL, NodeKind.DATASET, NodeKind.FEATURE)
_ORDER = {kind.value: place for place, kind in enumerate(AFFECTED)}


@dataclass(frozen=True, slots=True)
class Affected:
    """One thing downstream. ``reads`` in thirty days: of a feature its own, of others those of its affected features.

    ``through`` counts these features; ``reads`` is None where none is counted.
    """

    node: GraphNode
    label: str
    kind: str
    steps: int
    through: int
    reads: int | None
    callers: int | None
    state: NodeState
    reason: str
    owner: str
    href: str | None
    lineage_href: str


def impact(found: Gathered) -> list[Affected]:
    """What lies downstream of the focus, as far as it was walked, whatever is filtered: the most read first.

    Among equals what serves (services, models) comes before what is kept (datasets) and what is only defined.
    """
    pairs = [(edge.source, edge.target) for edge in found.whole.edges]
    steps = reachable(found.focus, pairs)
    before: dict[int, list[int]] = defaultdict(list)
    for source, target in pairs:
        before[target].append(source)
    by_id = {node.id: node for node in found.whole.nodes}
    rows = [
        _affected(by_id[one], steps=count, feeding=before[one], found=found, by_id=by_id, reached=steps)
        for one, count in steps.items()
        if one not in found.focus and by_id[one].kind in _ORDER
    ]
    return sorted(rows, key=lambda row: (-(row.reads or 0), _ORDER[row.node.kind], row.steps, row.label))


def _affected(
    node: GraphNode,
    *,
    steps: int,
    feeding: list[int],
    found: Gathered,
    by_id: dict[int, GraphNode],
    reached: dict[int, int],
) -> Affected:
    facts = found.facts.get(node.id)
    features = [one for one in feeding if one in reached and by_id[one].kind == NodeKind.FEATURE]
    counted = [found.facts[one].reads for one in features if one in found.facts]
    known = [count for count in counted if count is not None]
    own = None if facts is None else facts.reads
    return Affected(
        node=node,
        label=label_of(node, found.features),
        kind=str(NodeKind(node.kind).label),
        steps=steps,
        through=len(features),
        reads=own if own is not None else sum(known) if known else None,
        callers=None if facts is None else facts.callers,
        state=NodeState.FINE if facts is None else facts.state,
        reason="" if facts is None else facts.reason,
        owner=found.features[node.id].owner if node.id in found.features else "",
        href=page_of(node, found.features),
        lineage_href=lineage_around(node, found.features),
    )

"""Which nodes of the lineage the catalog knows to be deprecated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.access import Reader
from catalog.lineage import GraphNode
from catalog.lineage_map.facts import NodeFacts, NodeState
from catalog.models import Feature, FeatureService, NodeKind, Status


def why_deprecated(feature: Feature) -> str | None:
    """The reason, perhaps empty, of a feature that is deprecated, by itself or with its group; None of others."""
    if feature.status == Status.DEPRECATED:
        return feature.status_reason
    return "its group is deprecated" if feature.group.status == Status.DEPRECATED else None


def deprecated(
    nodes: Sequence[GraphNode], *, reasons: Mapping[int, str | None], user: Reader
) -> Mapping[int, NodeFacts]:
    """What is deprecated of ``nodes``: features by ``reasons``, which are by node, and services. One query."""
    found = {node: NodeFacts(NodeState.DEPRECATED, why) for node, why in reasons.items() if why is not None}
    services = {node.name: node.id for node in nodes if node.kind == NodeKind.SERVICE}
    old = FeatureService.objects.visible_to(user).filter(name__in=services, status=Status.DEPRECATED)
    names = old.values_list("name", flat=True) if services else ()
    return found | {services[name]: NodeFacts(NodeState.DEPRECATED) for name in names}

"""How much the features of a lineage are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db.models import Count, F, Sum

from catalog.access import Reader
from catalog.clock import now
from catalog.lineage import GraphNode
from catalog.lineage_map.facts import NodeFacts, register_facts
from serving.models import FeatureUsage

USAGE_DAYS = 30


def register_lineage_facts() -> None:
    """Let lineage pages say how much is read."""
    register_facts(reads_of_features)


def reads_of_features(nodes: Sequence[GraphNode], user: Reader) -> Mapping[int, NodeFacts]:  # noqa: ARG001
    """Online and historical reads of each feature in the last thirty days, and by how many callers; no names."""
    wanted = {node.feature_id for node in nodes if node.feature_id is not None}
    since = (now() - timedelta(days=USAGE_DAYS)).date()
    usage = FeatureUsage.objects.filter(feature__in=wanted, day__gte=since).order_by().values("feature")
    counted = usage.annotate(
        reads=Sum(F("online_reads") + F("historical_reads")), callers=Count("caller", distinct=True)
    )
    found = {row["feature"]: (row["reads"] or 0, row["callers"]) for row in counted}
    facts = {}
    for node in nodes:
        if node.feature_id is not None:
            reads, callers = found.get(node.feature_id, (0, 0))
            facts[node.id] = NodeFacts(reads=reads, callers=callers)
    return facts

"""Where a node of the lineage leads: to its own page, and to the lineage around it."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from catalog.lineage import GraphNode
from catalog.lineage_map.gathering import FeatureOfNode
from catalog.models import NodeKind


def page_of(node: GraphNode, features: dict[int, FeatureOfNode]) -> str | None:
    """The page of a node; None for what has none."""
    if node.kind == NodeKind.SERVICE:
        return reverse("catalog:service", args=[node.name])
    if node.kind == NodeKind.FEATURE and node.id in features:
        feature = features[node.id]
        return f"{reverse('catalog:feature', args=[feature.name])}?{urlencode({'group': feature.group})}"
    if node.kind == NodeKind.DATASET:
        # Its page is of an app above, and its name ends with its id.
        with suppress(NoReverseMatch):
            return reverse("serving:dataset", args=[node.name.rpartition("/")[2]])
    return None


def lineage_around(node: GraphNode, features: dict[int, FeatureOfNode]) -> str:
    """The lineage page with the node in its middle."""
    if node.id in features:
        feature = features[node.id]
        asked = {"feature": feature.name, "group": feature.group}
    else:
        asked = {"node": f"{node.kind}:{node.name}"}
    return f"{reverse('catalog:lineage')}?{urlencode(asked)}"

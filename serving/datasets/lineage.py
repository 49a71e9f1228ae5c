"""Training datasets in the lineage: each is made from the features that it holds."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.lineage import EdgeToRecord, NodeToRecord, record_lineage
from catalog.models import NodeKind
from catalog.references import ResolvedFeature
from serving.datasets.pins import Pins
from serving.models import TrainingDataset


def node_name(dataset: TrainingDataset) -> str:
    """Its name in the lineage: the name that people gave, and the id that tells it from others of that name."""
    return f"{dataset.name}/{dataset.pk}"


def record_dataset_lineage(dataset: TrainingDataset, pins: Pins, resolved: Sequence[ResolvedFeature]) -> None:
    """Make the lineage hold the dataset and the features that it is made from; again, it changes nothing."""
    made = NodeToRecord(NodeKind.DATASET, node_name(dataset), dataset.description)
    nodes, edges = [made], []
    for pinned, item in zip(pins.features, resolved, strict=True):
        version = item.version
        feature = NodeToRecord(
            NodeKind.FEATURE, pinned.feature_id, version.description or version.feature.description, version.feature_id
        )
        nodes.append(feature)
        edges.append(EdgeToRecord(feature.identity, made.identity, f"version {pinned.version}"))
    record_lineage(nodes=nodes, edges=edges)

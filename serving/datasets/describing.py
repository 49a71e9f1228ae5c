"""A training dataset with all that is told of it beyond its own row."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.access import Reader
from catalog.lineage import Direction, LineageGraph, walk_from
from catalog.models import LineageNode, NodeKind
from serving.datasets.lineage import node_name
from serving.datasets.pins import Pins
from serving.datasets.snippets import dataset_snippets
from serving.models import TrainingDataset

DEPTH = 3


@dataclass(frozen=True)
class DatasetDescription:
    """Snippets by their id, and what the dataset is made from and what is made from it."""

    snippet: str
    lineage: LineageGraph


def describe_dataset(dataset: TrainingDataset, *, base_url: str, user: Reader) -> DatasetDescription:
    """The Python that makes it again, and its lineage within :data:`DEPTH` steps as ``user`` may see it."""
    return DatasetDescription(
        snippet=snippets_of(dataset, base_url=base_url)["remake-dataset"],
        lineage=walk_from(
            LineageNode.objects.filter(kind=NodeKind.DATASET, name=node_name(dataset)),
            depth=DEPTH,
            direction=Direction.BOTH,
            user=user,
        ),
    )


def snippets_of(dataset: TrainingDataset, *, base_url: str) -> dict[str, str]:
    """The code to copy, by the id of each snippet."""
    pins = Pins.of(dataset.spec)
    references = {feature.reference for feature in pins.features}
    names = [column["name"] for column in dataset.columns if column["name"] not in references]
    snippets = dataset_snippets(
        base_url=base_url, dataset_id=dataset.pk, name=dataset.name, entity_columns=names, pins=pins
    )
    return {snippet.id: snippet.code for snippet in snippets}

"""A lineage as OpenLineage events (spec 2-0-2): runs of groups, and what step 6, services and datasets hold.

An ingestion is a run event (START and its end) with the source tables as inputs and the group as output; a group that
never ran is a job event. What a step outside of this store made, what a service pins and what a training dataset holds
are dataset events. Columns are told by the schema facet, and from which columns they are made by the column lineage
facet. See https://openlineage.io/docs/spec/object-model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from catalog.lineage import GraphEdge, GraphNode, LineageGraph
from catalog.models import NodeKind

Event: TypeAlias = dict[str, Any]
_SPEC = "https://openlineage.io/spec"
_CORE = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs"
_FACETS = {
    "schema": f"{_SPEC}/facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "columnLineage": f"{_SPEC}/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
    "documentation": f"{_SPEC}/facets/1-1-0/DocumentationDatasetFacet.json#/$defs/DocumentationDatasetFacet",
    "outputStatistics": (
        f"{_SPEC}/facets/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
    ),
    "jobType": f"{_SPEC}/facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
}
RUN_TYPES = {"succeeded": "COMPLETE", "failed": "FAIL", "cancelled": "ABORT", "running": "RUNNING"}


@dataclass(frozen=True, slots=True)
class EndedRun:
    """The newest run of a group; ``ended`` is None while it goes on."""

    id: str
    state: str
    started: datetime
    ended: datetime | None
    rows: int


@dataclass(frozen=True)
class GroupDataset:
    """A group as the output of its runs; ``columns`` are (value column, data type, description) by node id."""

    name: str
    description: str
    columns: Mapping[int, tuple[str, str, str]]
    run: EndedRun | None


@dataclass(frozen=True)
class Exported:
    """What the events are made of. ``producer`` is the address of this store, ``namespace`` its name as a URI."""

    graph: LineageGraph
    groups: Sequence[GroupDataset]
    producer: str
    namespace: str
    at: datetime
    types: Mapping[int, str] = field(default_factory=dict)


def events_of(exported: Exported) -> list[Event]:
    """The events, each valid by itself; datasets first, so that a run finds them known."""
    return [*_dataset_events(exported), *_group_events(exported)]


def _base(exported: Exported, kind: str, at: datetime) -> Event:
    return {"eventTime": at.isoformat(), "producer": exported.producer, "schemaURL": f"{_CORE}/{kind}"}


def _facet(exported: Exported, name: str, **said: Any) -> dict[str, Any]:
    return {"_producer": exported.producer, "_schemaURL": _FACETS[name], **said}


def _dataset(exported: Exported, name: str, facets: dict[str, Any] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"namespace": exported.namespace, "name": name}
    return {**told, "facets": facets} if facets else told


def _schema(exported: Exported, columns: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    fields = []
    for place, (name, kind, description) in enumerate(columns, start=1):
        told: dict[str, Any] = {"name": name, "ordinal_position": place}
        fields.append(told | ({"type": kind} if kind else {}) | ({"description": description} if description else {}))
    return _facet(exported, "schema", fields=fields)


@dataclass(frozen=True)
class _Index:
    nodes: dict[int, GraphNode]
    into: dict[int, list[GraphEdge]]


def _index(graph: LineageGraph) -> _Index:
    into: dict[int, list[GraphEdge]] = defaultdict(list)
    for edge in graph.edges:
        into[edge.target].append(edge)
    return _Index(nodes={node.id: node for node in graph.nodes}, into=into)


def _columns_behind(node: int, index: _Index) -> Iterator[tuple[GraphNode, str]]:
    """The columns that a node is made from, with how; a transformation between is looked through."""
    for edge in index.into.get(node, ()):
        source = index.nodes[edge.source]
        if source.kind in (NodeKind.SOURCE_COLUMN, NodeKind.RAW_COLUMN, NodeKind.FEATURE):
            yield source, edge.transformation
        elif source.kind == NodeKind.TRANSFORMATION:
            for column, how in _columns_behind(source.id, index):
                yield column, " → ".join(text for text in (how, source.name) if text)


def _input_field(exported: Exported, column: GraphNode, how: str, places: Mapping[int, tuple[str, str]]) -> Event:
    dataset, name = places.get(column.id) or (column.name.rpartition(".")[0], column.name.rpartition(".")[2])
    step = {"type": "DIRECT", "subtype": "TRANSFORMATION" if how else "IDENTITY"}
    if how:
        step["description"] = how
    return {"namespace": exported.namespace, "name": dataset, "field": name, "transformations": [step]}


def _column_lineage(
    exported: Exported, columns: Mapping[int, str], index: _Index, places: Mapping[int, tuple[str, str]]
) -> dict[str, Any]:
    """The facet for ``columns`` (name by node): of each, the columns that it is made from."""
    fields = {}
    for node, name in columns.items():
        made_from = [_input_field(exported, column, how, places) for column, how in _columns_behind(node, index)]
        if made_from:
            fields[name] = {"inputFields": made_from}
    return _facet(exported, "columnLineage", fields=fields)


def _places(exported: Exported) -> dict[int, tuple[str, str]]:
    """Where a feature node lies: the name of its group's dataset and its value column."""
    return {
        node: (f"groups/{group.name}", column[0]) for group in exported.groups for node, column in group.columns.items()
    }


def _dataset_events(exported: Exported) -> Iterator[Event]:
    index, places = _index(exported.graph), _places(exported)
    columns: dict[str, dict[int, str]] = defaultdict(dict)
    for node in exported.graph.nodes:
        if node.kind in (NodeKind.SOURCE_COLUMN, NodeKind.RAW_COLUMN):
            table, _, name = node.name.rpartition(".")
            columns[table][node.id] = name
    for table, found in sorted(columns.items()):
        facets: dict[str, Any] = {"schema": _schema(exported, ((name, "", "") for name in found.values()))}
        lineage = _column_lineage(exported, found, index, places)
        if lineage["fields"]:
            facets["columnLineage"] = lineage
        yield _base(exported, "DatasetEvent", exported.at) | {"dataset": _dataset(exported, table, facets)}
    for node in exported.graph.nodes:
        if node.kind in (NodeKind.SERVICE, NodeKind.DATASET, NodeKind.MODEL):
            yield _holder_event(exported, node, index, places)


def _holder_event(exported: Exported, node: GraphNode, index: _Index, places: Mapping[int, tuple[str, str]]) -> Event:
    """A service, dataset or model: it has the columns of the features that it holds."""
    held = [(edge, index.nodes[edge.source]) for edge in index.into.get(node.id, ())]
    features = [(edge, source) for edge, source in held if source.kind == NodeKind.FEATURE]
    fields = {}
    schema = []
    for edge, source in features:
        name = places.get(source.id, ("", source.name))[1]
        schema.append((name, exported.types.get(source.id, ""), edge.transformation))
        fields[name] = {"inputFields": [_input_field(exported, source, "", places)]}
    facets = {
        "schema": _schema(exported, schema),
        "columnLineage": _facet(exported, "columnLineage", fields=fields),
    }
    if node.description:
        facets["documentation"] = _facet(exported, "documentation", description=node.description)
    folder = {NodeKind.SERVICE: "services", NodeKind.DATASET: "datasets"}.get(NodeKind(node.kind), "models")
    return _base(exported, "DatasetEvent", exported.at) | {
        "dataset": _dataset(exported, f"{folder}/{node.name}", facets)
    }


def _group_events(exported: Exported) -> Iterator[Event]:
    index, places = _index(exported.graph), _places(exported)
    for group in sorted(exported.groups, key=lambda one: one.name):
        names = {node: column[0] for node, column in group.columns.items()}
        facets: dict[str, Any] = {
            "schema": _schema(exported, group.columns.values()),
            "columnLineage": _column_lineage(exported, names, index, places),
        }
        if group.description:
            facets["documentation"] = _facet(exported, "documentation", description=group.description)
        tables = sorted(
            {
                column.name.rpartition(".")[0]
                for node in group.columns
                for column, _ in _columns_behind(node, index)
                if column.kind == NodeKind.SOURCE_COLUMN
            }
        )
        kind = _facet(exported, "jobType", processingType="BATCH", integration="FEATURESTORE", jobType="INGESTION")
        job = {"namespace": exported.namespace, "name": f"ingest {group.name}", "facets": {"jobType": kind}}
        inputs = [_dataset(exported, table) for table in tables]
        output = _dataset(exported, f"groups/{group.name}", facets)
        yield from _of_group(exported, group, job=job, inputs=inputs, output=output)


def _of_group(
    exported: Exported, group: GroupDataset, *, job: Event, inputs: list[Event], output: Event
) -> Iterator[Event]:
    run = group.run
    if run is None:
        yield _base(exported, "JobEvent", exported.at) | {"job": job, "inputs": inputs, "outputs": [output]}
        return
    named = {"run": {"runId": run.id}, "job": job, "inputs": inputs}
    yield _base(exported, "RunEvent", run.started) | {"eventType": "START", **named, "outputs": [output]}
    counted = _facet(exported, "outputStatistics", rowCount=run.rows)
    wrote = {**output, "outputFacets": {"outputStatistics": counted}}
    yield _base(exported, "RunEvent", run.ended or exported.at) | {
        "eventType": RUN_TYPES.get(run.state, "OTHER"),
        **named,
        "outputs": [wrote],
    }

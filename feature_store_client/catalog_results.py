"""What the metadata calls return: features as the catalog describes them, their lineage, the state of the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feature_store_client import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureInfo:
    """A feature as the catalog describes it.

    ``statistics`` holds min_value, max_value, mean_value, std_dev and null_count, ``quality_metrics`` completeness,
    validity and consistency (0 to 1); a list may leave both empty. ``details`` is the whole answer, with the
    fields that this class does not name.
    """

    feature_id: str
    name: str
    description: str
    feature_group: str
    data_type: str
    version: str
    source_table: str | None
    source_column: str | None
    creation_date: datetime | None
    last_updated: datetime | None
    created_by: str | None
    tags: tuple[str, ...]
    statistics: dict[str, Any]
    quality_metrics: dict[str, Any]
    details: dict[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> FeatureInfo:
        return cls(
            feature_id=str(reading.required(body, "feature_id")),
            name=str(reading.required(body, "name")),
            description=reading.text(body, "description") or "",
            feature_group=str(reading.required(body, "feature_group")),
            data_type=str(reading.required(body, "data_type")),
            version=reading.text(body, "version") or "",
            source_table=reading.text(body, "source_table"),
            source_column=reading.text(body, "source_column"),
            creation_date=reading.instant(body, "creation_date"),
            last_updated=reading.instant(body, "last_updated"),
            created_by=reading.text(body, "created_by"),
            tags=tuple(str(tag) for tag in body.get("tags") or ()),
            statistics=reading.mapping(body, "statistics"),
            quality_metrics=reading.mapping(body, "quality_metrics"),
            details=dict(body),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageNode:
    """A thing that a feature comes from or goes to; ``kind`` is such as raw table, column, feature, service."""

    id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageEdge:
    """From one node id to the node id that is made of it."""

    source: str
    target: str
    transformation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """The graph around one feature, up and down."""

    feature: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Lineage:
        return cls(
            feature=str(reading.required(body, "feature")),
            nodes=tuple(
                LineageNode(
                    id=str(reading.required(node, "id")),
                    kind=reading.text(node, "kind") or "",
                    name=reading.text(node, "name") or "",
                )
                for node in reading.objects(body, "nodes")
            ),
            edges=tuple(
                LineageEdge(
                    source=str(reading.required(edge, "source")),
                    target=str(reading.required(edge, "target")),
                    transformation=reading.text(edge, "transformation") or "",
                )
                for edge in reading.objects(body, "edges")
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the server says about itself. ``healthy`` is False when it answered 503."""

    healthy: bool
    status: str
    checks: dict[str, Any]

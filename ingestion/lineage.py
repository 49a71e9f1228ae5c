"""The lineage of a group: raw table and column → step 6 → source column → feature → feature services."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from django.db import transaction

from catalog.errors import InvalidInput
from catalog.lineage import EdgeToRecord, NodeToRecord, record_lineage
from catalog.models import FeatureGroup, FeatureServiceMember, FeatureVersion, LineageEdge, LineageNode, NodeKind
from ingestion.expressions import columns_named

RAW_TABLE = "customer records"
WAREHOUSE = "warehouse"  # the source that a group has unless it names another
_Recorded = NodeToRecord | EdgeToRecord


def record_group_lineage(group: FeatureGroup) -> int:
    """Make the lineage of ``group`` what its definitions and its inherited metadata say; returns its edges.

    Recording again changes nothing; what a feature is no longer made from, and services that no longer pin it,
    lose their edges.
    """
    versions = list(
        FeatureVersion.objects.ingested()
        .filter(feature__group=group)
        .select_related("feature__entity", "feature__group")
    )
    recorded = list(chain.from_iterable(_of_version(group, version) for version in versions))
    recorded.extend(_of_services(group))
    nodes = [item for item in recorded if isinstance(item, NodeToRecord)]
    edges = {(item.source, item.target): item for item in recorded if isinstance(item, EdgeToRecord)}
    with transaction.atomic():
        keys = record_lineage(nodes=nodes, edges=edges.values())
        _forget_others(group, {(keys[source], keys[target]) for source, target in edges})
    return len(edges)


def source_table_name(group: FeatureGroup) -> str:
    """The name of the group's source table among all sources: that of another source stands before it."""
    if group.source == WAREHOUSE:
        return group.source_table
    return f"{group.source}:{group.source_table}"


def _of_version(group: FeatureGroup, version: FeatureVersion) -> Iterator[_Recorded]:
    feature = NodeToRecord(
        NodeKind.FEATURE, version.public_id, version.description or version.feature.description, version.feature_id
    )
    yield feature
    table = NodeToRecord(NodeKind.SOURCE_TABLE, source_table_name(group))
    yield table
    for name in _source_columns(version):
        column = NodeToRecord(NodeKind.SOURCE_COLUMN, f"{table.name}.{name}")
        yield column
        yield EdgeToRecord(table.identity, column.identity)
        yield EdgeToRecord(column.identity, feature.identity, version.expression or _renamed(name, version))
        if not version.expression:
            yield from _of_step6(column, version)


def _of_step6(column: NodeToRecord, version: FeatureVersion) -> Iterator[_Recorded]:
    inherited = version.inherited or {}
    raw_name = inherited.get("raw_name")
    if not isinstance(raw_name, str):
        return
    formula = str(inherited.get("formula") or "")
    step6 = NodeToRecord(NodeKind.TRANSFORMATION, f"step 6: {raw_name}", str(inherited.get("description") or formula))
    yield step6
    yield EdgeToRecord(step6.identity, column.identity, formula)
    raw_columns = [name for name in inherited.get("raw_columns") or () if isinstance(name, str)]
    table = NodeToRecord(NodeKind.RAW_TABLE, RAW_TABLE, "The records that the pipeline starts from.")
    yield table
    if not raw_columns:
        yield EdgeToRecord(table.identity, step6.identity, formula)
    for name in raw_columns:
        raw = NodeToRecord(NodeKind.RAW_COLUMN, f"{RAW_TABLE}.{name}")
        yield raw
        yield EdgeToRecord(table.identity, raw.identity)
        yield EdgeToRecord(raw.identity, step6.identity, str(inherited.get("aggregation") or formula))


def _of_services(group: FeatureGroup) -> Iterator[_Recorded]:
    members = FeatureServiceMember.objects.filter(version__feature__group=group).select_related(
        "service", "version__feature__entity"
    )
    for member in members:
        version = member.version
        feature = NodeToRecord(
            NodeKind.FEATURE, version.public_id, version.description or version.feature.description, version.feature_id
        )
        service = NodeToRecord(NodeKind.SERVICE, member.service.name, member.service.description)
        yield feature
        yield service
        yield EdgeToRecord(feature.identity, service.identity, f"pinned at {version.number}")


def _source_columns(version: FeatureVersion) -> tuple[str, ...]:
    if not version.expression:
        return (version.source_column or version.feature.name,)
    try:
        return columns_named(version.expression)
    except InvalidInput:
        return ()  # the run says what is wrong with it


def _renamed(column: str, version: FeatureVersion) -> str:
    return "" if column == version.feature.name else f"{column} as {version.feature.name}"


def _forget_others(group: FeatureGroup, wanted: set[tuple[int, int]]) -> None:
    own = LineageNode.objects.filter(feature__group=group)
    incoming = LineageEdge.objects.filter(
        target__in=own, source__kind__in=(NodeKind.SOURCE_COLUMN, NodeKind.SOURCE_TABLE)
    )
    outgoing = LineageEdge.objects.filter(source__in=own, target__kind=NodeKind.SERVICE)
    stale = [edge.pk for edge in chain(incoming, outgoing) if (edge.source_id, edge.target_id) not in wanted]
    LineageEdge.objects.filter(pk__in=stale).delete()

"""``metadata/lineage/openlineage``: the same lineage as events that other catalogs read."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from django.db.models import OuterRef, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.access import Capability, Reader
from catalog.api.lineage import QUESTION, asked_lineage
from catalog.clock import now
from catalog.lineage_map.gathering import Gathered
from catalog.models import FeatureGroup, FeatureVersion
from ingestion.models import IngestionRun, RunKind, RunState
from ingestion.open_lineage import EndedRun, Exported, GroupDataset, events_of

_MAJOR = re.compile(r"_v(\d+)$")


class OpenLineageEventSerializer(serializers.Serializer[Any]):
    """One event of the OpenLineage specification 2-0-2: a RunEvent, DatasetEvent or JobEvent, as schemaURL says."""

    eventTime = serializers.DateTimeField()
    producer = serializers.URLField()
    schemaURL = serializers.URLField()


class OpenLineageView(APIView):
    required_capability = Capability.SEE_METADATA

    @extend_schema(
        operation_id="get_lineage_as_openlineage",
        summary="The same lineage as OpenLineage events: post each to a consumer such as Marquez",
        parameters=QUESTION,
        responses=OpenLineageEventSerializer(many=True),
        filters=False,
    )
    def get(self, request: Request) -> Response:
        found = asked_lineage(request)
        versions = _versions(found)
        exported = Exported(
            graph=found.graph,
            groups=_groups(versions, user=request.user),
            producer=request.build_absolute_uri("/"),
            namespace=f"featurestore://{request.get_host()}",
            at=now(),
            types={node: version.data_type for node, version in versions.items()},
        )
        return Response(events_of(exported))


def _versions(found: Gathered) -> dict[int, FeatureVersion]:
    """The version behind each feature node: the newest minor of the major that ends its name."""
    wanted = {node.id: (node.feature_id, match[1]) for node in found.graph.nodes if (match := _MAJOR.search(node.name))}
    ids = {feature for feature, _ in wanted.values() if feature is not None}
    current = FeatureVersion.objects.filter(feature__in=ids, is_current=True).select_related("feature__group")
    by_major = {(version.feature_id, str(version.major)): version for version in current}
    return {node: by_major[key] for node, key in wanted.items() if key in by_major}


def _groups(versions: dict[int, FeatureVersion], *, user: Reader) -> list[GroupDataset]:
    columns: dict[int, dict[int, tuple[str, str, str]]] = defaultdict(dict)
    for node, version in sorted(versions.items()):
        described = version.description or version.feature.description
        columns[version.feature.group_id][node] = (version.value_column, version.data_type, described)
    runs = IngestionRun.objects.filter(group=OuterRef("pk"), kind=RunKind.INGEST, started_at__isnull=False)
    groups = FeatureGroup.objects.visible_to(user).filter(pk__in=columns)
    newest = dict(
        groups.annotate(newest=Subquery(runs.order_by("-created_at", "-id").values("pk")[:1])).values_list(
            "pk", "newest"
        )
    )
    found = IngestionRun.objects.in_bulk([run for run in newest.values() if run])
    return [
        GroupDataset(
            name=group.name,
            description=group.description,
            columns=columns[group.pk],
            run=_ended(found.get(newest[group.pk])),
        )
        for group in groups
    ]


def _ended(run: IngestionRun | None) -> EndedRun | None:
    if run is None or run.started_at is None:
        return None
    return EndedRun(
        id=str(run.pk),
        state=RunState(run.state).value,
        started=run.started_at,
        ended=run.finished_at,
        rows=run.rows_appended,
    )

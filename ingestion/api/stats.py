"""``stats``: the numbers of the store."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.access import Capability
from catalog.api.fields import Seconds
from catalog.api.filtering import refuse_unknown_parameters
from catalog.models import FeatureGroup
from ingestion.group_status import GroupStatus
from ingestion.models import RunState
from ingestion.recent_stats import recent_stats
from ingestion.report_access import report_access
from ingestion.stats import LATENCY_HOURS, StoreStats

_COUNTS = ("entities", "groups", "features", "versions", "services", "tags", "runs", "rows_online", "rows_history")


class LastRunSerializer(serializers.Serializer[Any]):
    """The newest ingestion of a group."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RunState.choices)
    at = serializers.DateTimeField(help_text="When it ended, or was asked for while it has not.")
    rows_appended = serializers.IntegerField()
    error = serializers.CharField(
        allow_null=True, help_text="Why it failed; null for readers who may not see the values."
    )


class FreshnessSerializer(serializers.Serializer[Any]):
    group = serializers.CharField(source="name")
    newest_event = serializers.DateTimeField(allow_null=True)
    age_seconds = Seconds(source="age", help_text="How old the newest event is.")
    promised_seconds = Seconds(source="freshness", help_text="How old it may be; null: nothing is promised.")
    is_late = serializers.BooleanField()
    last_run = serializers.SerializerMethodField()

    @extend_schema_field(LastRunSerializer(allow_null=True))
    def get_last_run(self, group: GroupStatus) -> dict[str, Any] | None:
        if group.last_run is None:
            return None
        shown = dict(LastRunSerializer(group.last_run).data)
        # Errors may quote values.
        return shown if group.name in self.context["errors_of"] else {**shown, "error": None}


class GroupStorageSerializer(serializers.Serializer[Any]):
    group = serializers.CharField(source="name")
    rows_online = serializers.IntegerField()
    rows_history = serializers.IntegerField()
    bytes_history = serializers.IntegerField()
    table_version = serializers.IntegerField(allow_null=True)


class FeatureReadsSerializer(serializers.Serializer[Any]):
    feature = serializers.CharField()
    feature_group = serializers.CharField()
    online_reads = serializers.IntegerField()
    historical_reads = serializers.IntegerField()


class UsageSerializer(serializers.Serializer[Any]):
    """Successful reads in the last days, as far as they are counted."""

    days = serializers.IntegerField()
    online_reads = serializers.IntegerField(help_text="Values read, one per feature and request.")
    historical_reads = serializers.IntegerField()
    features_read = serializers.IntegerField()
    callers = serializers.IntegerField()
    most_read = FeatureReadsSerializer(many=True)


class StoreQualitySerializer(serializers.Serializer[Any]):
    """Means over the default versions that have statistics."""

    features_measured = serializers.IntegerField()
    features_without_values = serializers.IntegerField()
    completeness = serializers.FloatField(allow_null=True)
    validity = serializers.FloatField(allow_null=True)
    consistency = serializers.FloatField(allow_null=True)


class LatencySerializer(serializers.Serializer[Any]):
    """Of the last 24 hours; a percentile is the upper end of the bucket that it falls in."""

    requests = serializers.IntegerField()
    failures = serializers.IntegerField()
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)
    p99_ms = serializers.FloatField(allow_null=True)


class StorageSerializer(serializers.Serializer[Any]):
    database_bytes = serializers.IntegerField(allow_null=True)
    offline_bytes = serializers.IntegerField()
    groups = GroupStorageSerializer(many=True)


class StatsSerializer(serializers.Serializer[Any]):
    """The numbers over what the caller may know of."""

    at = serializers.DateTimeField()
    totals = inline_serializer("Totals", {name: serializers.IntegerField() for name in _COUNTS})
    freshness = FreshnessSerializer(many=True)
    usage = UsageSerializer()
    quality = StoreQualitySerializer()
    latency = serializers.DictField(child=LatencySerializer(), help_text="By kind of read: online, historical.")
    storage = StorageSerializer()


class StatsView(APIView):
    required_capability: ClassVar = Capability.SEE_METADATA

    @extend_schema(
        operation_id="stats",
        summary="What the store holds, how fresh, used, good, fast and large it is",
        description=f"Latency covers the last {LATENCY_HOURS} hours. The numbers are as of `at`: they are counted anew "
        "when the catalog or a run changes, and otherwise every few minutes.",
        responses=StatsSerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, ())
        groups = list(FeatureGroup.objects.visible_to(request.user))
        access = report_access(user=request.user, groups=groups)
        context = {"errors_of": {group.name for group in groups if access.shows_errors_of(group.pk)}}
        return Response(StatsSerializer(_told(recent_stats(user=request.user)), context=context).data)


def _told(stats: StoreStats) -> dict[str, Any]:
    return {
        "at": stats.at,
        "totals": stats.totals,
        "freshness": stats.groups,
        "usage": stats.usage,
        "quality": stats.quality,
        "latency": {
            kind.kind: {"requests": kind.requests, "failures": kind.failures, **kind.percentiles}
            for kind in stats.latency
        },
        "storage": {
            "database_bytes": stats.database_bytes,
            "offline_bytes": sum(group.bytes_history for group in stats.groups),
            "groups": stats.groups,
        },
    }

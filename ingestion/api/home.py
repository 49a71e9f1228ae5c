"""``home``: all that the start page shows, of the catalog, of reads and of runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.access import Capability
from catalog.api.fields import Seconds
from catalog.api.filtering import refuse_unknown_parameters
from catalog.clock import now
from catalog.home_lists import ShortList, ShortRow, lists_for
from catalog.home_numbers import numbers_of, without_values
from catalog.models import FeatureVersion
from catalog.search import Criteria, find_features
from ingestion.api.run_serializers import RunReferenceSerializer
from ingestion.home_runs import groups_of_note, newest_runs, runs_of_day
from ingestion.report_access import report_access
from serving.card_facts import reads_by_day, stored_rows

_LISTED = 5


class DayCountSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    count = serializers.IntegerField()


class ListedFeatureSerializer(serializers.Serializer[ShortRow]):
    """A feature in one of the lists."""

    feature = serializers.SerializerMethodField()
    status = serializers.CharField(source="feature.status")
    tier = serializers.CharField(source="feature.tier")
    reads = serializers.IntegerField(help_text="In the last 30 days.")
    newest_event = serializers.SerializerMethodField()
    is_late = serializers.BooleanField(help_text="Whether its newest value is older than its group promises.")

    @extend_schema_field(serializers.CharField(help_text="As group:name."))
    def get_feature(self, row: ShortRow) -> str:
        return f"{row.feature.group.name}:{row.feature.name}"

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_newest_event(self, row: ShortRow) -> datetime | None:
        version = row.feature.default_version
        return None if version is None or version.latest_profile is None else version.latest_profile.newest_event


class ShortListSerializer(serializers.Serializer[ShortList]):
    """One of the short lists; ``reason`` says why it is empty where it is."""

    key = serializers.CharField(
        help_text="owned, followed, used, certified, rising, new, deprecated; own: none of the first three."
    )
    title = serializers.CharField()
    reason = serializers.SerializerMethodField()
    query = serializers.CharField(help_text="The search that shows all of it; empty where there is none.")
    features = ListedFeatureSerializer(many=True, source="rows")

    def get_reason(self, one: ShortList) -> str:
        return "" if one.rows else str(one.reason)


class UnservedSerializer(serializers.Serializer[FeatureVersion]):
    feature = serializers.SerializerMethodField()
    reason = serializers.CharField(source="source_problem")

    @extend_schema_field(serializers.CharField(help_text="As group:name."))
    def get_feature(self, version: FeatureVersion) -> str:
        return f"{version.feature.group.name}:{version.feature.name}"


class StaleGroupSerializer(serializers.Serializer[Any]):
    group = serializers.CharField(source="name")
    newest_event = serializers.DateTimeField()
    freshness = Seconds(help_text="How old it may be, in seconds.")


class HomeSerializer(serializers.Serializer[Any]):
    """The start page."""

    as_of = serializers.DateTimeField()
    features = serializers.IntegerField()
    features_by_day = DayCountSerializer(many=True, help_text="How many there were on each of the last 30 days.")
    groups = serializers.IntegerField()
    entities = serializers.IntegerField()
    newest_event = serializers.DateTimeField(allow_null=True)
    reads = serializers.IntegerField(help_text="In the last 30 days.")
    reads_by_day = DayCountSerializer(many=True)
    online_rows = serializers.IntegerField()
    history_rows = serializers.IntegerField()
    runs_of_day = serializers.IntegerField(help_text="Runs asked for in the last 24 hours.")
    runs_of_day_failed = serializers.IntegerField()
    without_values = UnservedSerializer(many=True, help_text="Features whose source gives no values now.")
    lists = ShortListSerializer(many=True)
    newest_runs = RunReferenceSerializer(many=True)
    never_ingested = serializers.ListField(child=serializers.CharField(), help_text="Groups.")
    stale = StaleGroupSerializer(many=True, help_text="Groups whose newest value is older than they promise.")


class HomeView(APIView):
    required_capability = Capability.SEE_METADATA

    @extend_schema(
        operation_id="get_home",
        summary="The start page: numbers with their last 30 days, what is the caller's, what is new, what is wrong",
        responses=HomeSerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, ())
        at, user = now(), request.user
        every = find_features(user=user, criteria=Criteria())
        numbers = numbers_of(every, at=at)
        reads, rows = reads_by_day(user), stored_rows(user)
        runs, newest, groups = runs_of_day(user, at=at), newest_runs(user)[:_LISTED], groups_of_note(user, at=at)
        told = {
            "as_of": at,
            "features": numbers.features,
            "features_by_day": [{"day": day.date(), "count": count} for day, count in numbers.growth],
            "groups": numbers.groups,
            "entities": numbers.entities,
            "newest_event": numbers.newest_event,
            "reads": sum(count for _, count in reads),
            "reads_by_day": [{"day": day, "count": count} for day, count in reads],
            "online_rows": rows.online_rows,
            "history_rows": rows.history_rows,
            "runs_of_day": runs.runs,
            "runs_of_day_failed": runs.failed,
            "without_values": without_values(user),
            "lists": lists_for(user, every=every) if numbers.features else [],
            "newest_runs": newest,
            "never_ingested": [group.name for group in groups.never_ingested],
            "stale": groups.stale,
        }
        context = {"request": request, "access": report_access(user=user, groups=[run.group for run in newest])}
        return Response(HomeSerializer(told, context=context).data)

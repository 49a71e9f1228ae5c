"""``quality``: the quality of all groups, as the page shows it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.access import Capability
from catalog.api.fields import Seconds
from catalog.api.filtering import refuse_unknown_parameters
from catalog.clock import now
from catalog.errors import InvalidInput
from ingestion.quality.days import Day, DayState
from ingestion.quality.overview import Drifted, GroupNow, counts_of, days_by_group, drift_league, groups_now

_WRONG = "wrong"


class DaySerializer(serializers.Serializer[Day]):
    """One day (UTC) on which something ran, or today when it is late."""

    day = serializers.DateField()
    state = serializers.ChoiceField(choices=[(state.value, state.value) for state in DayState])
    runs = serializers.IntegerField()
    failed = serializers.IntegerField()
    fell_short = serializers.IntegerField(help_text="Runs whose check fell short.")
    run = serializers.SerializerMethodField(help_text="The run to look at: that which went wrong, or the last.")

    def get_run(self, day: Day) -> str | None:
        return day.run or None


class GroupQualitySerializer(serializers.Serializer[GroupNow]):
    """One group now, and its last days."""

    group = serializers.CharField(source="group.name")
    is_failing = serializers.BooleanField()
    is_late = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Why it is failing.")
    last_run = serializers.SerializerMethodField(help_text="The newest ingestion that has ended.")
    last_state = serializers.CharField(help_text="Its state; empty where nothing was ingested yet.")
    newest_event = serializers.DateTimeField(source="newest", allow_null=True)
    age = Seconds(help_text="Seconds since the newest event.")
    freshness = Seconds(source="group.freshness", help_text="The promise, in seconds.")
    days = serializers.SerializerMethodField()

    def get_last_run(self, one: GroupNow) -> str | None:
        return one.last_run or None

    @extend_schema_field(DaySerializer(many=True))
    def get_days(self, one: GroupNow) -> Any:
        days = [day for day in self.context["days"][one.group.pk] if day is not None]
        return [DaySerializer(day).data for day in days]


class DriftedSerializer(serializers.Serializer[Drifted]):
    """A feature version whose values have moved."""

    feature = serializers.CharField(source="version.feature.name")
    feature_id = serializers.CharField(source="version.public_id")
    group = serializers.CharField(source="version.feature.group.name")
    measured = serializers.FloatField(help_text="The greatest stability index of the last 30 days.")
    threshold = serializers.FloatField()
    ratio = serializers.FloatField(help_text="The one over the other; above 1 it is too much.")
    at = serializers.DateTimeField()
    run = serializers.CharField()
    history = serializers.ListField(child=serializers.FloatField(), help_text="Of the last checks, oldest first.")


class QualitySerializer(serializers.Serializer[Any]):
    """How good the values of all groups are."""

    as_of = serializers.DateTimeField()
    good = serializers.IntegerField(help_text="Groups that were ingested and are neither failing nor late.")
    failing = serializers.IntegerField()
    late = serializers.IntegerField()
    never_ingested = serializers.IntegerField()
    drifting = serializers.IntegerField(help_text="Features of the list of drift that are beyond their threshold.")
    groups = GroupQualitySerializer(many=True, help_text="Failing ones first, then late ones, then by name.")
    drift = DriftedSerializer(many=True, help_text="The greatest multiple of its threshold first.")


class QualityView(APIView):
    required_capability = Capability.SEE_METADATA

    @extend_schema(
        operation_id="get_quality",
        summary="What is failing, late and drifting now, and the last 30 days of every group",
        parameters=[
            OpenApiParameter("only", str, enum=[_WRONG], description="Leave out groups that are good."),
            OpenApiParameter("group", str, many=True, description="Only these groups."),
        ],
        responses=QualitySerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, ("only", "group"))
        only = request.query_params.get("only", "")
        if only not in ("", _WRONG):
            raise InvalidInput(f"only is {_WRONG} or left out, not {only!r}", details={"field": "only"})
        at = now()
        names = {name for text in request.query_params.getlist("group") for name in text.split(",") if name}
        groups = [one for one in groups_now(user=request.user, at=at) if not names or one.group.name in names]
        listed = [one for one in groups if not only or one.is_failing or one.is_late]
        league = drift_league(groups, user=request.user, at=at)
        told = {**asdict(counts_of(groups, league)), "as_of": at, "groups": listed, "drift": league}
        return Response(QualitySerializer(told, context={"days": days_by_group(listed, at=at)}).data)

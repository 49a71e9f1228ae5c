"""The form in which the last day of runs is told."""

from __future__ import annotations

from rest_framework import serializers

from ingestion.api.run_serializers import RunReferenceSerializer
from ingestion.last_day import GroupDay, LastDay


class RunOfDaySerializer(RunReferenceSerializer):
    """One run with its times."""

    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True, help_text="How long it took; null while it has not ended.")


class GroupDaySerializer(serializers.Serializer[GroupDay]):
    """One group: what ran, and when a run was due by its schedule."""

    group = serializers.CharField()
    schedule = serializers.CharField(help_text="The cron line and its zone; empty where nothing is scheduled.")
    due = serializers.ListField(child=serializers.DateTimeField(), help_text="Oldest first.")
    runs = RunOfDaySerializer(many=True, help_text="Newest first.")


class LastDaySerializer(serializers.Serializer[LastDay]):
    """The day up to now."""

    since = serializers.DateTimeField()
    as_of = serializers.DateTimeField(source="until")
    groups = GroupDaySerializer(many=True, help_text="The one that ran last first; then those that only were due.")
    left_out = serializers.IntegerField(
        help_text="Whether there were more runs than are told of: 0 where there were not."
    )
    groups_left_out = serializers.IntegerField()

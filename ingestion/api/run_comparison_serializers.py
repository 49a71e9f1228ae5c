"""The form in which two runs are compared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ingestion.api.run_serializers import RunSerializer
from ingestion.run_comparison import Compared, ComparedRule


class ComparedSerializer(serializers.Serializer[Compared]):
    """One fact or count of both runs, as texts."""

    name = serializers.CharField()
    first = serializers.CharField()
    second = serializers.CharField()
    difference = serializers.CharField(help_text="How far the second is from the first; empty where they agree.")
    differs = serializers.BooleanField()


class ComparedRuleSerializer(serializers.Serializer[ComparedRule]):
    """One rule: the rows that broke it in either run; null where the run did not check it."""

    feature = serializers.CharField()
    rule = serializers.CharField()
    first = serializers.IntegerField(allow_null=True)
    second = serializers.IntegerField(allow_null=True)
    passed_first = serializers.BooleanField(allow_null=True)
    passed_second = serializers.BooleanField(allow_null=True)
    differs = serializers.BooleanField()


class RunComparisonSerializer(serializers.Serializer[Any]):
    """Two runs, the older first."""

    first = RunSerializer()
    second = RunSerializer()
    lines = ComparedSerializer(many=True)
    rules = ComparedRuleSerializer(many=True, help_text="Those that differ first.")

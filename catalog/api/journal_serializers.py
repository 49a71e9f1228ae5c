"""The form in which journal entries and follows are told and sent."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.fields import StrictSerializer
from catalog.journal import LONGEST_TEXT
from catalog.models import EntryKind


class SubjectSerializer(serializers.Serializer[Any]):
    """What a row is about: one of the two is null."""

    feature = serializers.SerializerMethodField()
    group = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="The feature, as group:name."))
    def get_feature(self, row: Any) -> str | None:
        return None if row.feature is None else f"{row.feature.group.name}:{row.feature.name}"

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="The feature group."))
    def get_group(self, row: Any) -> str | None:
        return None if row.group is None else row.group.name


class JournalEntrySerializer(SubjectSerializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    text = serializers.CharField(help_text="Markdown.")
    at = serializers.DateTimeField(help_text="The time that it is about.")
    author = serializers.CharField()
    created_at = serializers.DateTimeField()
    is_open = serializers.BooleanField(help_text="An incident that nobody has closed.")
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.CharField()


class NewEntrySerializer(StrictSerializer):
    """A note or an incident on a feature or on a feature group."""

    feature = serializers.CharField(required=False, max_length=210, help_text="[group:]name, or group instead.")
    group = serializers.CharField(required=False, max_length=100)
    kind = serializers.ChoiceField(choices=EntryKind.choices, default=EntryKind.NOTE)
    text = serializers.CharField(max_length=LONGEST_TEXT, help_text="Markdown.")
    at = serializers.DateTimeField(required=False, help_text="The time that it is about; now where it is left out.")

    def validate(self, attrs: Any) -> Any:
        if ("feature" in attrs) == ("group" in attrs):
            raise serializers.ValidationError("name a feature or a group, not both")
        return attrs


class FollowSerializer(SubjectSerializer):
    """What the caller follows."""

    created_at = serializers.DateTimeField(help_text="Since when.")

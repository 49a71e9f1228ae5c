"""The form in which changes are told."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.models import AuditEvent

# What the reports of the pipeline say of values; it is told to those only who may see the values.
_OF_VALUES = "inherited"


class AuditEventSerializer(serializers.Serializer[AuditEvent]):
    """One change: who made it, when, on which request, and what was before and after it."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    request_id = serializers.CharField(help_text="As in X-Request-ID and the logs; empty for what came by no request.")
    action = serializers.CharField()
    object_type = serializers.CharField(help_text="feature or featureversion.")
    object_name = serializers.CharField()
    before = serializers.DictField(allow_null=True, help_text="The fields that changed; null of what was made.")
    after = serializers.DictField(allow_null=True, help_text="The same afterwards; null of what was removed.")

    def to_representation(self, instance: AuditEvent) -> dict[str, Any]:
        told = dict(super().to_representation(instance))
        if self.context.get("is_closed", True):
            for side in ("before", "after"):
                if told[side] and _OF_VALUES in told[side]:
                    told[side] = {**told[side], _OF_VALUES: None}
        return told

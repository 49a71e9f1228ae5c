"""Fields and bodies that several serializers share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.durations import format_duration
from catalog.models import Status


class StatusField(serializers.ChoiceField):
    """Where a thing stands in its life."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=Status.choices, **kwargs)


@extend_schema_field({"type": "string", "nullable": True, "example": "1d"})
class SpanText(serializers.Field[timedelta, Any, str, timedelta]):
    """A time span as the configuration writes it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: timedelta) -> str:
        return format_duration(value)


@extend_schema_field(OpenApiTypes.DOUBLE)
class Seconds(serializers.Field[timedelta, Any, float, timedelta]):
    """A time span in seconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: timedelta) -> float:
        return value.total_seconds()


class OpenText(serializers.CharField):
    """Text that may be left out and may be empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, trim_whitespace=True, **kwargs)


class StrictSerializer(serializers.Serializer[Any]):
    """A body that refuses fields it does not know, so that a misspelled one is not silently without effect."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError(dict.fromkeys(unknown, f"there is no such field; there are {known}"))
        return super().to_internal_value(data)

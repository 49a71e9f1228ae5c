"""The types that a feature value can have (pure: no Django)."""

from __future__ import annotations

from enum import StrEnum


class ValueType(StrEnum):
    FLOAT = "float"
    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    FLOAT_LIST = "float_list"


NUMERIC_TYPES = frozenset({ValueType.FLOAT, ValueType.INTEGER})

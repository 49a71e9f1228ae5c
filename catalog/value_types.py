"""The types that a feature value can have (pure: no Django)."""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa


class ValueType(StrEnum):
    FLOAT = "float"
    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    FLOAT_LIST = "float_list"


ARROW_TYPES: dict[ValueType, pa.DataType] = {
    ValueType.FLOAT: pa.float64(),
    ValueType.INTEGER: pa.int64(),
    ValueType.STRING: pa.string(),
    ValueType.BOOLEAN: pa.bool_(),
    ValueType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    ValueType.FLOAT_LIST: pa.list_(pa.float64()),
}

NUMERIC_TYPES = frozenset({ValueType.FLOAT, ValueType.INTEGER})


def arrow_type(value_type: str) -> pa.DataType:
    """The Arrow type of a column that holds values of ``value_type``.

    :raises ValueError: when ``value_type`` is not one of :class:`ValueType`.
    """
    return ARROW_TYPES[ValueType(value_type)]

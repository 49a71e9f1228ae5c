"""The types of values in Arrow (pure: no Django); by themselves, as Arrow is large and single values need none."""

from __future__ import annotations

import pyarrow as pa

from catalog.value_types import ValueType

ARROW_TYPES: dict[ValueType, pa.DataType] = {
    ValueType.FLOAT: pa.float64(),
    ValueType.INTEGER: pa.int64(),
    ValueType.STRING: pa.string(),
    ValueType.BOOLEAN: pa.bool_(),
    ValueType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    ValueType.FLOAT_LIST: pa.list_(pa.float64()),
}


def arrow_type(value_type: str) -> pa.DataType:
    """The Arrow type of a column that holds values of ``value_type``.

    :raises ValueError: when ``value_type`` is not one of :class:`ValueType`.
    """
    return ARROW_TYPES[ValueType(value_type)]

"""Masks over columns (see :mod:`serving.masking`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from catalog.arrow_types import arrow_type
from catalog.declarations import Mask
from catalog.value_types import ValueType
from serving.masking import mask_value


def mask_values(values: Sequence[Any], *, mask: str, data_type: str, key: bytes) -> pa.Array:
    """The masked forms of many JSON values, as a column."""
    masked = [mask_value(value, mask=mask, data_type=data_type, key=key) for value in values]
    if data_type == ValueType.TIMESTAMP and mask == Mask.BUCKET:
        return (
            pa.array([None if text is None else text.removesuffix("Z") for text in masked], pa.string())
            .cast(pa.timestamp("us"))
            .cast(pa.timestamp("us", tz="UTC"))
        )
    return pa.array(masked, masked_type(mask=mask, data_type=data_type))


def masked_type(*, mask: str, data_type: str) -> pa.DataType:
    """The Arrow type of a masked column: the value's own, or text."""
    return pa.string() if mask in {Mask.HASH, Mask.PARTIAL} else arrow_type(data_type)

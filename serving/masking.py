"""Masks: what a reader without clearance sees instead of a value (pure: no Django).

``null``
    nothing.
``hash``
    16 hexadecimal digits of HMAC-SHA256: equal values of one feature give equal texts, and without the key
    nobody can try values out. The column becomes text.
``partial``
    text and numbers as text, with all but the end replaced by ``***``: the last 4 characters of more than 8,
    the last 2 of 5 to 8, none of fewer. Other types give nothing. The column becomes text.
``bucket``
    numbers rounded down to their first digit and at least to tens (47 → 40, 161,993.89 → 100,000, −47 → −50), so
    that counts, flags and shares do not show: 0 to 9 all give 0, −10 to −1 all give −10. Timestamps are rounded down
    to their year. Other types, booleans among them, give nothing. The type stays.

A null stays null under every mask: whether there is a value is told, except by ``null``, which tells nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import sys
from typing import Any

from catalog.declarations import Mask
from catalog.value_types import NUMERIC_TYPES, ValueType

_HASH_DIGITS = 16
_HIDDEN = "***"
_LOWEST_INTEGER = -(2**63)
_LOWEST_FLOAT = int(-sys.float_info.max)


def mask_value(value: Any, *, mask: str, data_type: str, key: bytes) -> Any:
    """The masked form of one JSON value (a timestamp is ISO text); null stays null.

    ``key`` is the secret of the feature, so that equal values of two features cannot be matched.
    """
    if value is None:
        return None
    match Mask(mask):
        case Mask.NULL:
            return None
        case Mask.HASH:
            text = _canonical(value, ValueType(data_type))
            return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:_HASH_DIGITS]
        case Mask.PARTIAL:
            return _partial(value, ValueType(data_type))
        case Mask.BUCKET:
            return _bucket(value, ValueType(data_type))


def feature_key(secret: str, *, entity: str, feature: str) -> bytes:
    """The secret of one feature's masks, from the secret of the store."""
    return hmac.new(secret.encode(), f"mask\0{entity}\0{feature}".encode(), hashlib.sha256).digest()


def _canonical(value: Any, data_type: ValueType) -> str:
    """One text per value, the same whether it comes from the online or the offline store."""
    if data_type is ValueType.FLOAT:
        return repr(float(value) + 0.0)
    if data_type is ValueType.FLOAT_LIST:
        return json.dumps([None if item is None else float(item) for item in value])
    return str(value)


def _partial(value: Any, data_type: ValueType) -> str | None:
    if data_type is ValueType.FLOAT:
        text = repr(float(value))
    elif data_type in {ValueType.STRING, ValueType.INTEGER}:
        text = str(value)
    else:
        return None
    shown = 4 if len(text) > 8 else 2 if len(text) > 4 else 0
    return _HIDDEN + text[len(text) - shown :]


def _bucket(value: Any, data_type: ValueType) -> Any:
    if data_type is ValueType.TIMESTAMP:
        return f"{str(value)[:4]}-01-01T00:00:00.000000Z"
    if data_type not in NUMERIC_TYPES:
        return None
    whole = math.floor(value)
    width: int = 10 ** max(len(str(abs(whole))) - 1, 1)
    whole = whole // width * width
    if data_type is ValueType.INTEGER:
        return max(whole, _LOWEST_INTEGER)
    return float(max(whole, _LOWEST_FLOAT))

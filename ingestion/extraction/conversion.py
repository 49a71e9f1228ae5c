"""Source values → the declared value type, exactly, with a fault for each value that cannot be (pure: no Django).

Integers never pass through a float. NaN, and the texts that writers leave in place of a missing value
(:data:`MISSING_TEXTS`), are null for every type.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrow_types import arrow_type
from catalog.value_types import ValueType
from ingestion.extraction.request import RawColumn, shown
from ingestion.extraction.timestamps import read_instant, read_timestamp_array, zone_of

MISSING_TEXTS = frozenset({"", "nan", "NaN", "None", "null"})
EXACT_IN_FLOAT = 2**53
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})


@dataclass(frozen=True, slots=True)
class Converted:
    """A typed array as long as what it was made from, and (position, message) of each value that it lacks."""

    values: pa.Array[Any]
    faults: tuple[tuple[int, str], ...] = ()


def convert(raw: RawColumn, value_type: ValueType, *, zone_name: str | None = None) -> Converted:
    """``raw`` as an array of the Arrow type of ``value_type``; ``zone_name`` is that of times without a zone."""
    inferred = as_array(raw)
    if inferred is not None:
        quick = _quick(inferred, value_type, zone_name)
        if quick is not None:
            return Converted(quick)
    return _one_by_one(raw, value_type, zone_of(zone_name))


def as_array(raw: RawColumn) -> pa.Array[Any] | None:
    """``raw`` as an Arrow array of the type that its values have; None where they have several."""
    if isinstance(raw, pa.Array):
        if pa.types.is_dictionary(raw.type):
            return raw.cast(raw.type.value_type)
        return raw
    try:
        return pa.array(raw, from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeError, ValueError, TypeError):
        return None


def is_missing(value: object) -> bool:
    """Whether ``value`` stands for no value at all."""
    if isinstance(value, str):
        return value.strip() in MISSING_TEXTS
    # NaN and pandas' NaT are the values that do not equal themselves.
    return value is None or (isinstance(value, (float, datetime)) and value != value)


def _quick(values: pa.Array[Any], value_type: ValueType, zone_name: str | None) -> pa.Array[Any] | None:
    kind: Any = values.type
    target: Any = arrow_type(value_type)
    answer: pa.Array[Any] | None = None
    if pa.types.is_null(kind):
        answer = pa.nulls(len(values), target)
    match value_type:
        case ValueType.FLOAT if pa.types.is_floating(kind):
            numbers = values.cast(target)
            answer = pc.if_else(pc.is_nan(numbers), pa.scalar(None, target), numbers)
        case ValueType.FLOAT if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
            answer = values.cast(target, safe=False)
        case ValueType.INTEGER if pa.types.is_integer(kind) and kind != pa.uint64():
            answer = values.cast(target)
        case ValueType.BOOLEAN if pa.types.is_boolean(kind):
            answer = values
        case ValueType.STRING if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            answer = _quick_text(values.cast(target))
        case ValueType.TIMESTAMP if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            answer = read_timestamp_array(values, zone_name)
    return answer


def _quick_text(texts: pa.Array[Any]) -> pa.Array[Any] | None:
    if pc.any(pc.match_substring(texts, "\x00")).as_py():
        return None
    missing = pc.is_in(pc.utf8_trim_whitespace(texts), pa.array(sorted(MISSING_TEXTS), pa.string()))
    answer: pa.Array[Any] = pc.if_else(missing, pa.scalar(None, pa.string()), texts)
    return answer


def _one_by_one(raw: RawColumn, value_type: ValueType, zone: tzinfo | None) -> Converted:
    read = _READERS.get(value_type)
    values: list[Any] = []
    faults: list[tuple[int, str]] = []
    for position, value in enumerate(raw.to_pylist() if isinstance(raw, pa.Array) else raw.tolist()):
        if is_missing(value):
            values.append(None)
            continue
        try:
            values.append(read_instant(value, zone) if read is None else read(_plain(value)))
        except ValueError as error:
            values.append(None)
            faults.append((position, str(error)))
    return Converted(pa.array(values, arrow_type(value_type)), tuple(faults))


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _float(value: object) -> float | None:
    match value:
        case bool():
            pass
        case int() | float() | Decimal():
            try:
                number = float(value)
            except OverflowError:
                raise ValueError(f"{shown(value)} is too large for a float") from None
            return None if math.isnan(number) else number
        case str() if _NUMBER.fullmatch(value.strip()):
            return float(value)
    raise ValueError(f"{shown(value)} is not a number")


def _integer(value: object) -> int:
    number: int | None = None
    match value:
        case bool():
            pass
        case int():
            number = value
        case float() if value.is_integer():
            if abs(value) > EXACT_IN_FLOAT:
                raise ValueError(f"{shown(value)} is a float above 2^53 and so no exact integer")
            number = int(value)
        case float():
            raise ValueError(f"{shown(value)} has a fraction and so is no integer")
        case Decimal():
            number = _whole(value)
        case str() if _NUMBER.fullmatch(value.strip()):
            try:
                number = _whole(Decimal(value.strip()))
            except InvalidOperation:
                number = None
    if number is None:
        raise ValueError(f"{shown(value)} is not an integer")
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{shown(value)} does not fit into 64 bits")
    return number


def _whole(value: Decimal) -> int:
    # An exponent beyond 64 bits is refused before it is written out as digits.
    if not value.is_finite() or value.adjusted() > 20:
        raise ValueError(f"{value} does not fit into 64 bits")
    if value != value.to_integral_value():
        raise ValueError(f"{value} has a fraction and so is no integer")
    return int(value)


def _boolean(value: object) -> bool:
    match value:
        case bool():
            return value
        case int() | float() | Decimal() if value in (0, 1):
            return bool(value)
        case str():
            text = value.strip().lower()
            if text in _TRUE or text in _FALSE:
                return text in _TRUE
    raise ValueError(f"{shown(value)} is not a boolean; those are 0 and 1, true and false, yes and no")


def _string(value: object) -> str:
    match value:
        case str():
            if "\x00" in value:
                raise ValueError(f"{shown(value)} holds a NUL character")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{shown(value)} is not valid Unicode") from None
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) <= EXACT_IN_FLOAT:
            # A column of whole numbers turns into floats as soon as one value is missing.
            return str(int(value))
        case int() | float() | Decimal():
            return str(value)
        case date():
            return value.isoformat()
    raise ValueError(f"{shown(value)} is not text")


def _float_list(value: object) -> list[float | None]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError(f"{shown(value)} is not a JSON list of numbers") from None
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{shown(value)} is not a list of numbers")
    return [None if item is None else _float(item) for item in value]


_READERS: dict[ValueType, Callable[[object], Any]] = {
    ValueType.FLOAT: _float,
    ValueType.INTEGER: _integer,
    ValueType.BOOLEAN: _boolean,
    ValueType.STRING: _string,
    ValueType.FLOAT_LIST: _float_list,
}

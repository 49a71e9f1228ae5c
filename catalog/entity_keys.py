"""The text form of the join key values of one entity.

A single key is the text of its value. A composite key is its parts joined by ``|``, with ``\\`` and ``|``
inside a part escaped by ``\\``, so that no two different tuples share a text. A text longer than 255
characters is replaced by ``sha256:`` and the digest of its UTF-8 bytes; a text that begins with ``sha256:``
is digested too, so that nobody can write a key that looks like another one's digest.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import InvalidInput

MAX_LENGTH = 255
DIGEST_PREFIX = "sha256:"
SEPARATOR = "|"
ESCAPE = "\\"
_ACCEPTED = "give text, a whole number, a date or a timestamp"
_PYTHON_KINDS = (pa.types.is_floating, pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp)


def encode_entity_key(parts: Sequence[object]) -> str:
    """The entity key of one entity, from its join key values in the order the entity declares them.

    Whole numbers, also as float or decimal, become decimal text (``42.0`` and ``42`` are the same key);
    text stays as it is; dates and timestamps become ISO text, timestamps with a zone in UTC.

    Raises InvalidInput for no parts, an empty text, a text with a NUL character or a lone surrogate, a
    number with a fraction, a boolean, a missing value, or any other type.
    """
    if isinstance(parts, str) or not parts:
        raise InvalidInput("an entity key needs the list of its join key values, at least one")
    texts = [_part_text(part) for part in parts]
    if len(texts) == 1:
        return _bounded(texts[0])
    return _bounded(SEPARATOR.join(_escaped(text) for text in texts))


def encode_entity_keys(columns: Sequence[pa.ChunkedArray[Any] | pa.Array[Any]]) -> pa.StringArray:
    """The entity keys of many entities, from one column per join key; a string array of the same length.

    The same texts as :func:`encode_entity_key` row by row, except that a null in any part gives a null
    key, which the caller accepts or refuses. Raises InvalidInput where the single form would, and for
    columns of different lengths.
    """
    if not columns:
        raise InvalidInput("an entity key needs at least one join key column")
    if len({len(column) for column in columns}) > 1:
        raise InvalidInput("the join key columns of one entity must have the same length")
    texts = [_column_texts(column) for column in columns]
    if len(texts) == 1:
        return _bounded_texts(texts[0])
    parts: list[Any] = [*map(_escaped_texts, texts), SEPARATOR]
    return _bounded_texts(pc.binary_join_element_wise(*parts, null_handling="emit_null"))


def _part_text(part: object) -> str:
    match part:
        case str():
            return _checked_text(part)
        case bool() | None:
            raise _refused(part)
        case Integral():
            return str(int(part))
        case Decimal():
            if part.is_finite() and part == part.to_integral_value():
                return str(int(part))
        case Real():
            number = float(part)
            if math.isfinite(number) and number.is_integer():
                return str(int(number))
        case datetime():
            # pandas' NaT passes for a datetime, but like NaN it is not equal to itself.
            if part == part:
                moment = part if part.utcoffset() is None else part.astimezone(UTC)
                return moment.isoformat()
        case date():
            return part.isoformat()
    raise _refused(part)


def _refused(part: object) -> InvalidInput:
    return InvalidInput(
        f"{part!r} ({type(part).__name__}) cannot be a join key value: {_ACCEPTED}",
        details={"value": repr(part), "type": type(part).__name__},
    )


def _checked_text(text: str) -> str:
    if not text:
        raise InvalidInput("an empty text cannot be a join key value")
    if "\x00" in text:
        raise InvalidInput(f"{text!r} cannot be a join key value: it holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{text!r} cannot be a join key value: it is not valid Unicode") from error
    return text


def _escaped(text: str) -> str:
    return text.replace(ESCAPE, ESCAPE * 2).replace(SEPARATOR, ESCAPE + SEPARATOR)


def _bounded(key: str) -> str:
    if len(key) <= MAX_LENGTH and not key.startswith(DIGEST_PREFIX):
        return key
    return DIGEST_PREFIX + hashlib.sha256(key.encode()).hexdigest()


def _column_texts(column: pa.ChunkedArray[Any] | pa.Array[Any]) -> pa.StringArray:
    values: Any = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = values.type
    if pa.types.is_dictionary(kind):
        texts = _column_texts(_used_dictionary(values)).take(values.indices)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        texts = _checked_texts(values.cast(pa.string()))
    elif pa.types.is_integer(kind) or pa.types.is_null(kind):
        texts = values.cast(pa.string())
    elif any(is_kind(kind) for is_kind in _PYTHON_KINDS):
        texts = _mapped(values, _part_text)
    else:
        raise InvalidInput(f"a column of {kind} cannot hold join key values: {_ACCEPTED}")
    return texts


def _used_dictionary(values: pa.DictionaryArray[Any, Any]) -> pa.Array[Any]:
    """The dictionary with entries that no row uses made null, so that those are never judged."""
    positions = pa.array(range(len(values.dictionary)), values.indices.type)
    used = pc.is_in(positions, pc.unique(values.indices))
    dictionary: pa.Array[Any] = pc.if_else(used, values.dictionary, pa.scalar(None, values.dictionary.type))
    return dictionary


def _checked_texts(texts: pa.StringArray) -> pa.StringArray:
    suspect: Any = pc.or_(pc.equal(texts, pa.scalar("")), pc.match_substring(texts, "\x00"))
    for text in texts.filter(suspect).slice(0, 1).to_pylist():
        _checked_text(str(text))
    return texts


def _escaped_texts(texts: pa.StringArray) -> pa.StringArray:
    escaped = pc.replace_substring(texts, ESCAPE, ESCAPE * 2)
    return pc.replace_substring(escaped, SEPARATOR, ESCAPE + SEPARATOR)


def _bounded_texts(keys: pa.StringArray) -> pa.StringArray:
    too_long = pc.greater(pc.utf8_length(keys), pa.scalar(MAX_LENGTH, pa.int32()))
    to_digest: Any = pc.or_(too_long, pc.starts_with(keys, DIGEST_PREFIX)).fill_null(False)
    if not pc.any(to_digest).as_py():
        return keys
    bounded: pa.StringArray = pc.replace_with_mask(keys, to_digest, _mapped(keys.filter(to_digest), _bounded))
    return bounded


def _mapped(values: Any, text_of: Callable[[Any], str]) -> pa.StringArray:
    """Each distinct value through ``text_of``, nulls kept."""
    encoded = values.dictionary_encode()
    texts = [None if value is None else text_of(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)

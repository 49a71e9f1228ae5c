"""The entity keys of many entities at once, from columns (see :mod:`catalog.entity_keys`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.entity_keys import ACCEPTED, DIGEST_PREFIX, ESCAPE, MAX_LENGTH, SEPARATOR, bounded, checked_text, part_text
from catalog.errors import InvalidInput

_PYTHON_KINDS = (pa.types.is_floating, pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp)


def encode_entity_keys(columns: Sequence[pa.ChunkedArray[Any] | pa.Array[Any]]) -> pa.StringArray:
    """The entity keys of many entities, from one column per join key; a string array of the same length.

    The same texts as :func:`catalog.entity_keys.encode_entity_key` row by row, except that a null in any part gives
    a null key, which the caller accepts or refuses. Raises InvalidInput where the single form would, and for
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
        texts = _mapped(values, part_text)
    else:
        raise InvalidInput(f"a column of {kind} cannot hold join key values: {ACCEPTED}")
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
        checked_text(str(text))
    return texts


def _escaped_texts(texts: pa.StringArray) -> pa.StringArray:
    escaped = pc.replace_substring(texts, ESCAPE, ESCAPE * 2)
    return pc.replace_substring(escaped, SEPARATOR, ESCAPE + SEPARATOR)


def _bounded_texts(keys: pa.StringArray) -> pa.StringArray:
    too_long = pc.greater(pc.utf8_length(keys), pa.scalar(MAX_LENGTH, pa.int32()))
    to_digest: Any = pc.or_(too_long, pc.starts_with(keys, DIGEST_PREFIX)).fill_null(False)
    if not pc.any(to_digest).as_py():
        return keys
    digested: pa.StringArray = pc.replace_with_mask(keys, to_digest, _mapped(keys.filter(to_digest), bounded))
    return digested


def _mapped(values: Any, text_of: Callable[[Any], str]) -> pa.StringArray:
    """Each distinct value through ``text_of``, nulls kept."""
    encoded = values.dictionary_encode()
    texts = [None if value is None else text_of(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)

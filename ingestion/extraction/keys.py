"""Source key columns → entity keys, with a fault for each row whose key cannot be one (pure: no Django)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.entity_key_columns import encode_entity_keys
from catalog.entity_keys import encode_entity_key
from catalog.errors import InvalidInput
from ingestion.extraction.conversion import Converted, as_array, is_missing
from ingestion.extraction.request import RawColumn


def read_keys(columns: Sequence[tuple[str, RawColumn]]) -> Converted:
    """The entity key of each row, from (join key, source column) in the order of the entity; null where broken."""
    parts: list[pa.Array[Any]] = []
    faults: dict[int, str] = {}
    for name, raw in columns:
        part = _part(name, raw)
        parts.append(part.values)
        for position, message in part.faults:
            faults.setdefault(position, message)
    return Converted(encode_entity_keys(parts), tuple(sorted(faults.items())))


def _part(name: str, raw: RawColumn) -> Converted:
    values = as_array(raw)
    if values is not None and values.null_count == 0 and pa.types.is_integer(values.type):
        return Converted(values)
    if values is not None and pa.types.is_string(values.type) and _all_sound(values):
        return Converted(values)
    known: dict[tuple[type, object], tuple[str | None, str]] = {}
    texts: list[str | None] = []
    faults: list[tuple[int, str]] = []
    for position, value in enumerate(raw.to_pylist() if isinstance(raw, pa.Array) else raw.tolist()):
        identity = (type(value), value if isinstance(value, Hashable) else repr(value))
        if identity not in known:
            known[identity] = _text(name, value)
        text, message = known[identity]
        texts.append(text)
        if text is None:
            faults.append((position, message))
    return Converted(pa.array(texts, pa.string()), tuple(faults))


def _all_sound(texts: Any) -> bool:
    if texts.null_count or pc.any(pc.match_substring(texts, "\x00")).as_py():
        return False
    # Only texts shorter than five characters, or padded ones, can stand for a missing key.
    five: Any = 5
    short = pc.less(pc.utf8_length(texts), five)
    padded = pc.not_equal(texts, pc.utf8_trim_whitespace(texts))
    return not any(is_missing(text) for text in texts.filter(pc.or_(short, padded)).unique().to_pylist())


def _text(name: str, value: object) -> tuple[str | None, str]:
    if is_missing(value):
        return None, f"the join key {name} is missing" + (f" ({value!r})" if isinstance(value, str) else "")
    plain = value.item() if isinstance(value, np.generic) else value
    try:
        encoded = encode_entity_key([plain])
    except InvalidInput as error:
        return None, f"the join key {name}: {error.message}"
    # Long texts are digested once the key is whole, not part by part.
    return (plain if isinstance(plain, str) else encoded), ""

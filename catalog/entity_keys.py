"""The text form of the join key values of one entity.

A single key is the text of its value. A composite key is its parts joined by ``|``, with ``\\`` and ``|``
inside a part escaped by ``\\``, so that no two different tuples share a text. A text longer than 255
characters is replaced by ``sha256:`` and the digest of its UTF-8 bytes; a text that begins with ``sha256:``
is digested too, so that nobody can write a key that looks like another one's digest.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Integral, Real

from catalog.errors import InvalidInput

MAX_LENGTH = 255
DIGEST_PREFIX = "sha256:"
SEPARATOR = "|"
ESCAPE = "\\"
ACCEPTED = "give text, a whole number, a date or a timestamp"


def encode_entity_key(parts: Sequence[object]) -> str:
    """The entity key of one entity, from its join key values in the order the entity declares them.

    Whole numbers, also as float or decimal, become decimal text (``42.0`` and ``42`` are the same key);
    text stays as it is; dates and timestamps become ISO text, timestamps with a zone in UTC.

    Raises InvalidInput for no parts, an empty text, a text with a NUL character or a lone surrogate, a
    number with a fraction, a boolean, a missing value, or any other type.
    """
    if isinstance(parts, str) or not parts:
        raise InvalidInput("an entity key needs the list of its join key values, at least one")
    texts = [part_text(part) for part in parts]
    if len(texts) == 1:
        return bounded(texts[0])
    return bounded(SEPARATOR.join(_escaped(text) for text in texts))


def part_text(part: object) -> str:
    """The text of one join key value; raises InvalidInput where it cannot be one."""
    match part:
        case str():
            return checked_text(part)
        case bool() | None:
            raise _refused(part)
        case int():
            return str(part)
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
        f"{part!r} ({type(part).__name__}) cannot be a join key value: {ACCEPTED}",
        details={"value": repr(part), "type": type(part).__name__},
    )


def checked_text(text: str) -> str:
    """``text``, refused when it cannot be a join key value."""
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


def bounded(key: str) -> str:
    """``key``, or its digest when it is too long."""
    if len(key) <= MAX_LENGTH and not key.startswith(DIGEST_PREFIX):
        return key
    return DIGEST_PREFIX + hashlib.sha256(key.encode()).hexdigest()

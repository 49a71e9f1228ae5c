"""Durations as people write them in the configuration: ``24h``, ``30d``, ``15m`` (pure: no Django)."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def parse_duration(text: str) -> timedelta:
    """``"90s"``, ``"15m"``, ``"24h"``, ``"30d"``, ``"2w"`` as a positive time span.

    :raises ValueError: when the text has another form, is zero, or is too long to hold.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration; write a number and a unit, such as 15m, 24h or 30d")
    try:
        span = timedelta(**{_UNITS[found[2]]: float(found[1])})
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than the store can count; leave it out for no limit") from error
    if span <= timedelta(0):
        raise ValueError(f"{text!r} is not above zero; leave it out for no limit")
    return span


def format_duration(span: timedelta) -> str:
    """The shortest text that :func:`parse_duration` reads back as ``span``."""
    seconds = span.total_seconds()
    for unit, size in (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"

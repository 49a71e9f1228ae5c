"""Sizes as people write them in the configuration: ``512MB``, ``2GB`` (pure: no Django)."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """``"512MB"``, ``"2GB"``, ``"1.5GiB"`` as bytes.

    :raises ValueError: when the text has another form.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None or found[2].upper() not in _UNITS:
        raise ValueError(f"{text!r} is not a size; write a number and a unit, such as 512MB or 2GB")
    return int(float(found[1]) * _UNITS[found[2].upper()])

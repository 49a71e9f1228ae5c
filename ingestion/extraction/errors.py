"""What can go wrong with a source. ``heals`` says whether trying again later may help."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import ClassVar

from catalog.errors import Conflict, NotFound, Unavailable


class SourceNotFound(NotFound):
    """The file, folder or table that a group is read from is not there."""

    code = "source_not_found"
    heals: ClassVar[bool] = False


class SourceInvalid(Conflict):
    """The source is there and cannot be read as declared: no such key or time column, not a database, broken file."""

    code = "source_invalid"
    heals: ClassVar[bool] = False


class SourceBusy(Unavailable):
    """Somebody else holds the source; it is free again after a while."""

    code = "source_busy"
    heals: ClassVar[bool] = True


def nearest(name: str, available: Sequence[str]) -> list[str]:
    """Up to three of ``available`` that are most like ``name``, best first."""
    by_lower = {candidate.lower(): candidate for candidate in available}
    return [by_lower[found] for found in difflib.get_close_matches(name.lower(), list(by_lower), n=3, cutoff=0.4)]


def hint(name: str, available: Sequence[str], *, what: str) -> str:
    """The end of a message about ``name`` that is not there: the nearest names, or all that there are."""
    near = nearest(name, available)
    if near:
        return f"; nearest {what}: {', '.join(near)}"
    if not available:
        return f"; it has no {what}"
    shown = ", ".join(available[:12]) + (", …" if len(available) > 12 else "")
    return f"; its {what}: {shown}"

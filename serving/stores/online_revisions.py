"""Revisions of the online rows of groups: whoever keeps what was made of rows knows by them that it still holds.

A revision is a number drawn by lot and not a count. So one that was never committed, that went with a deleted group or
came back with a restored database is nobody's second time.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable

# Of all groups of a read, in the order of their ids.
Revisions = tuple[tuple[int, int], ...]


def new_revision() -> int:
    """A number that no state of any group has had, above zero and of 63 bits, as all stores take it."""
    return secrets.randbits(63) or 1


def of_all(found: Iterable[tuple[int, int]], groups: Collection[int]) -> Revisions | None:
    """The revisions found, by group id; None without groups, or where one has none and so may change unseen."""
    revisions = tuple(sorted(found))
    return revisions if revisions and len(revisions) == len(groups) else None

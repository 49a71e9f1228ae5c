"""Which state of the catalog and of its rights a process works from, and what it has worked out from that state.

Every modification writes an audit event in its own transaction, so the newest events tell whether anything has
changed. A process looks at them at most every :data:`LOOK_SECONDS`; in between it trusts what it saw.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Generic, TypeVar

from django.conf import settings

from catalog.models import AuditEvent

LOOK_SECONDS = 0.25
# Transactions that overlap may commit in another order than their events are numbered, so the newest event alone
# would miss the late one. So many transactions do not overlap.
_NEWEST = 64
# Whoever writes to the database past the store leaves no event.
_LONGEST_SECONDS = 5.0

Generation = tuple[tuple[int, datetime], ...]
Kept = TypeVar("Kept")


def catalog_generation() -> Generation:
    """Equal as long as nothing was modified; empty when no modification was ever recorded.

    A modification by any process shows at the latest :data:`LOOK_SECONDS` after its commit.
    """
    return _looked.generation()


class _Looked:
    """The newest events as last seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Generation = ()
        self._due = 0.0

    def generation(self) -> Generation:
        if time.monotonic() < self._due:
            return self._seen
        # One looks at a time: a look that is overtaken by a later one would bring an older state back, and what was
        # worked out from it would be kept as if it were of the newer.
        with self._lock:
            moment = time.monotonic()
            if moment >= self._due:
                self._seen = tuple(AuditEvent.objects.order_by("-id").values_list("id", "at")[:_NEWEST])
                self._due = moment + LOOK_SECONDS
            return self._seen


class KeptWhileUnchanged(Generic[Kept]):
    """Answers by key, each made once per generation of the catalog; the least used go first beyond the cache's size.

    Nothing is kept where the configuration turns caching off.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation: Generation = ()
        self._entries: OrderedDict[Hashable, tuple[float, Kept]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """The answer of ``key``, made now unless it is known."""
        configuration = settings.FEATURESTORE
        room = configuration.serving.max_cache_size if configuration.performance.query_caching else 0
        generation = catalog_generation() if room else ()
        if not generation:
            return make()
        moment = time.monotonic()
        with self._lock:
            if self._generation != generation:
                self._entries.clear()
                self._generation = generation
            known = self._entries.get(key)
            if known is not None and moment - known[0] < _LONGEST_SECONDS:
                self._entries.move_to_end(key)
                return known[1]
        made = make()
        with self._lock:
            if self._generation == generation:
                self._entries[key] = (moment, made)
                self._entries.move_to_end(key)
                while len(self._entries) > room:
                    self._entries.popitem(last=False)
        return made


_looked = _Looked()

"""What a reader may be answered while something changes: the old, the new, and from a given time on only the new."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass
class _Change:
    value: object
    begun: float
    done: float | None = None


@dataclass
class Law:
    """One thing that changes: the rows of a group, a mask, whether a token opens.

    A request may see a change from when its making began; and once it has been acknowledged for ``grace`` seconds, a
    request that begins may see nothing older.
    """

    name: str
    grace: float
    _changes: list[_Change] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    slowest: float = 0.0
    """Seconds from an acknowledgement to the beginning of the last request that still saw the older."""

    def begin(self, value: object) -> None:
        """Say that the change to ``value`` is about to be made."""
        with self._lock:
            self._changes.append(_Change(value, time.monotonic()))

    def acknowledge(self) -> None:
        """Say that whoever made the change was told that it is made."""
        with self._lock:
            self._changes[-1].done = time.monotonic()

    @property
    def count(self) -> int:
        """How many changes were acknowledged, the first state among them."""
        return sum(change.done is not None for change in self._changes)

    def fault(self, seen: object, *, begun: float, ended: float) -> str | None:
        """What is wrong with having seen this in a request of that time; None when nothing is."""
        with self._lock:
            replaced: float | None = None
            for change in reversed(self._changes):
                if change.value == seen and change.begun <= ended:
                    if replaced is None or begun <= replaced:
                        return None
                    late = begun - replaced
                    if late <= self.grace:
                        self.slowest = max(self.slowest, late)
                        return None
                    return f"{self.name}: {seen!r} was seen {late:.2f} s after {self._newest()!r} was acknowledged"
                if change.done is not None:
                    # The oldest acknowledgement of all newer changes is the one that counts.
                    replaced = change.done if replaced is None else min(replaced, change.done)
            return f"{self.name}: {seen!r} was seen, which was never there"

    def _newest(self) -> object:
        return next(change.value for change in reversed(self._changes) if change.done is not None)

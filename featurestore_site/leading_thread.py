"""Which of a process's threads answers the short calls (pure: no Django).

A call that is answered in a fraction of a millisecond, without waiting for anything but the interpreter, gains nothing
from several threads: one interpreter works for one of them at a time, and at each turn of another one the processor has
at hand what the last one needed. One thread leads and takes call after call while the others rest. None rests for long:
when the leader takes up something long, one of them is called, and when the leader makes no progress, the next to wake
leads.
"""

from __future__ import annotations

import threading

# Calls wait no longer than this behind one that hangs, say for a body that does not come.
REST_SECONDS = 0.05


class LeadingThread:
    """Tells each thread whether it leads; a thread that does not rests after its answer has gone out."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._leader: int | None = None
        self._taken = 0

    def take_short(self) -> bool:
        """Take a short call; whether this thread leads, which it does when nobody else does."""
        me = threading.get_ident()
        if self._leader is None:
            # Of two that come at once the later one leads, and the other one rests.
            self._leader = me
        if self._leader != me:
            return False
        self._taken += 1
        return True

    def take_long(self) -> None:
        """Take a call that may last: somebody else shall lead."""
        if self._leader == threading.get_ident():
            with self._changed:
                self._leader = None
                self._changed.notify()

    def rest(self) -> None:
        """Wait until nobody leads, or for :data:`REST_SECONDS`; a leader who took no call meanwhile leads no longer."""
        with self._changed:
            leader, taken = self._leader, self._taken
            if leader is None or self._changed.wait(REST_SECONDS):
                return
            if (self._leader, self._taken) == (leader, taken):
                self._leader = None

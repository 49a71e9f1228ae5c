"""The one clock of the store.

It can be told to live at another time: what the demo lives through are past days, and its runs, reads and edits are
of those days. What measures whether another process is alive asks :func:`machine_time`, which never does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_shift: ContextVar[timedelta] = ContextVar("featurestore_clock_shift", default=timedelta(0))


def now() -> datetime:
    """The present instant: aware, UTC, microseconds."""
    return machine_time() + _shift.get()


def machine_time() -> datetime:
    """The instant that the machine's clock shows, whatever time the store lives at."""
    return datetime.now(UTC)


@contextmanager
def living_at(instant: datetime) -> Iterator[None]:
    """Within the block, and in this thread of work, the clock shows ``instant`` at first and goes on from there."""
    token = _shift.set(instant - machine_time())
    try:
        yield
    finally:
        _shift.reset(token)

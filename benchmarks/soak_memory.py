"""The memory of every process of a server over time, and whether it keeps growing."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.servers import family, parent_of

_EVERY_SECONDS = 2.0
POOL = "worker, serving"
# What lived shorter is still getting warm: no slope is taken of it, and none of the pool is compared with it.
LEAST_SECONDS = 60.0


@dataclass
class Watched:
    """Seconds since the start, and resident bytes then."""

    name: str = ""
    seconds: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)

    def slope(self, *, after: float) -> float | None:
        """Bytes a minute by least squares, of what was seen ``after`` so many seconds; None when that is too short."""
        chosen = [(at, size) for at, size in zip(self.seconds, self.resident, strict=True) if at >= after]
        if len(chosen) < 3 or chosen[-1][0] - chosen[0][0] < LEAST_SECONDS:
            return None
        times, sizes = zip(*chosen, strict=True)
        return float(np.polyfit(np.array(times) / 60.0, np.array(sizes, dtype=float), 1)[0])

    @property
    def peak(self) -> int:
        return max(self.resident)

    @property
    def life(self) -> float:
        """Seconds from when it was seen first to when it was seen last."""
        return self.seconds[-1] - self.seconds[0]

    def at_shares(self, shares: Sequence[float]) -> list[int]:
        """The bytes at these shares of its life."""
        last = len(self.resident) - 1
        return [self.resident[round(share * last)] for share in shares]


def growing(watched: Sequence[Watched], *, after: float, most: float, most_share: float) -> list[str]:
    """What keeps growing: a process by more than ``most`` bytes a minute ``after`` so many seconds.

    The processes of the worker's pool are replaced after some tasks, before which they may grow; of those compared none
    may be larger than the first by more than ``most_share``.
    """
    found = []
    for process in watched:
        slope = process.slope(after=after)
        if process.name != POOL and slope is not None and slope > most:
            found.append(f"{process.name} grows by {slope / 1e6:.2f} MB a minute")
    peaks = [process.peak for process in compared(watched)]
    if peaks and max(peaks) > peaks[0] * (1 + most_share):
        found.append(f"{POOL}: of {len(peaks)} one is larger than the first by {max(peaks) / peaks[0] - 1:.0%}")
    return found


def compared(watched: Sequence[Watched]) -> list[Watched]:
    """The processes of the pool that lived long enough to be warm, in the order in which they came."""
    return [process for process in watched if process.name == POOL and process.life >= LEAST_SECONDS]


class MemoryWatch:
    """Looks at all processes of a server every two seconds, until it is stopped."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._start = time.monotonic()
        self.watched: dict[int, Watched] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            members = family(self._pid)
            parents = {parent_of(member) for member in members}
            for member in members:
                with suppress(OSError, KeyError, ValueError):  # it has ended in the meantime
                    resident = _resident(member)
                    entry = self.watched.setdefault(member, Watched())
                    # A worker is there before its pool, so what it is shows only once it has children.
                    if not entry.name or member in parents:
                        entry.name = _name(member, serving=member not in parents)
                    entry.seconds.append(time.monotonic() - self._start)
                    entry.resident.append(resident)


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(found["VmRSS"].split()[0]) * 1024


def _name(pid: int, *, serving: bool) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    kinds = {"beat": "scheduler", "celery": "worker", "granian": "web", "serve": "supervisor"}
    named = next((name for word, name in kinds.items() if any(word in part for part in words)), words[0])
    return named if named in ("scheduler", "supervisor") else f"{named}, {'serving' if serving else 'main'}"

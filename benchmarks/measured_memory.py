"""What a server's processes hold of the memory."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import family


@dataclass(frozen=True)
class MemoryNow:
    """In bytes: of the largest worker, what of it are no pages of files, and of all processes, where a page that
    several share counts once.
    """

    worker: int
    anonymous: int
    together: int


def memory_now(pid: int) -> MemoryNow:
    """Of a process and all its descendants; a worker is one that has no descendants itself.

    Which process it is may change: some servers replace a worker after so many requests.
    """
    worker = anonymous = together = 0
    for member in family(pid):
        with suppress(OSError):  # it has ended in the meantime
            found = _kilobytes(member)
            together += found["Pss"] * 1024
            if len(family(member)) == 1:
                worker, anonymous = max((worker, anonymous), (found["Rss"] * 1024, found["Anonymous"] * 1024))
    return MemoryNow(worker, anonymous, together)


def _kilobytes(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}

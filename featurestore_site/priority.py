"""Background work gives way to serving: the priority of a process."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

# Where Linux shares the processors among sessions first, niceness tells within one session only, and that of the whole
# session is told here.
_SESSION = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Let others go first, by so many steps (0: nobody, 19: everybody); meant for the first process of a session.

    Processes that are started later inherit it. A process cannot take it back.
    """
    os.nice(niceness)
    with suppress(OSError):  # other systems, and kernels that do not share so, have no such file
        _SESSION.write_text(str(niceness))

"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """``load`` is how many processes wanted to run on average of the last minute before the run."""

    cores: int
    processor: str
    memory_gb: float
    python: str
    system: str
    load: float

    @property
    def busy(self) -> bool:
        """Whether others used it at the same time, so that the figures are worse than they need be."""
        return self.load > self.cores * 0.25

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gb:.0f} GB of memory, {self.system}, "
            f"Python {self.python}"
        )


def this_machine() -> Machine:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=found[1].strip() if found else platform.machine(),
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        load=os.getloadavg()[0],
    )

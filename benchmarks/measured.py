"""What every contestant runs in a process of its own: read, time, keep the answer, say what it took.

It needs pyarrow only, so that contestants which cannot share the product's environment run it in theirs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

# The position of an entity row, carried along by every contestant, so that answers can be told apart row by row.
ROW = "row"
MARK = "measured: "


@dataclass(frozen=True)
class Work:
    """One measurement: which files, how many entity rows, how often, for how long."""

    contestant: str
    folder: Path
    rows: int
    features: list[str]
    repeats: int
    budget: float
    option: str

    @property
    def entities_file(self) -> Path:
        return entities_file(self.folder, self.rows)

    @property
    def answer_file(self) -> Path:
        return self.folder / f"answer_{self.contestant}_{self.rows}.parquet"

    @property
    def groups(self) -> dict[int, list[str]]:
        """The features asked for, by number of their group."""
        found: dict[int, list[str]] = {}
        for name in self.features:
            found.setdefault(int(name[1:].split("_")[0]), []).append(name)
        return found


@dataclass(frozen=True)
class Measured:
    """``seconds`` of every repetition, the first (cold) one apart; memory in bytes at its highest.

    ``processor_seconds`` are what all threads used together: they say little of the wait, but other work on the machine
    hardly changes them.
    """

    first_seconds: float
    seconds: list[float]
    processor_seconds: list[float]
    peak_bytes: int
    versions: dict[str, str]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds or [self.first_seconds])

    @property
    def processor_median(self) -> float:
        return statistics.median(self.processor_seconds)


def entities_file(folder: Path, rows: int) -> Path:
    return folder / f"entities_{rows}.parquet"


def asked_work() -> Work:
    """The work that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--contestant", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--features", required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--budget", type=float, required=True)
    parser.add_argument("--option", default="")
    asked = parser.parse_args()
    return Work(**{**vars(asked), "features": asked.features.split(",")})


def measure(
    work: Work,
    read: Callable[[], Any],
    *,
    as_table: Callable[[Any], pa.Table] = lambda answer: answer,
    packages: Iterable[str],
    answers: bool = True,
    peak: Callable[[], int] | None = None,
    processor: Callable[[], float] = time.process_time,
) -> None:
    """Run ``read`` once cold, then up to ``repeats`` times within the budget, and print a :class:`Measured`.

    The last answer is kept as a table, unless ``answers`` is false. ``peak`` gives the highest memory in bytes
    and ``processor`` the processor seconds used so far; by default this process's.
    """
    before = processor()
    first, answer = _timed(read)
    spent, used = first, [processor() - before]
    seconds: list[float] = []
    while len(seconds) < work.repeats and spent + first <= work.budget:
        del answer  # two answers at a time would count as memory of the read
        before = processor()
        taken, answer = _timed(read)
        used.append(processor() - before)
        seconds.append(taken)
        spent += taken
    highest = (peak or peak_of_process)()
    if answers:
        pq.write_table(as_table(answer).select([ROW, *work.features]), work.answer_file, compression="none")
    known = {name: found for name in packages if (found := _version(name)) is not None}
    measured = Measured(
        first_seconds=first,
        seconds=seconds,
        processor_seconds=used[1:] or used,
        peak_bytes=highest,
        versions=known,
    )
    print(MARK + json.dumps(asdict(measured)), flush=True)


def peak_of_process(pid: int | str = "self") -> int:
    """The most physical memory that a process has held, in bytes.

    From Linux's VmHWM: the figure of ``getrusage`` would count what the parent held when it started the process.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _timed(read: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    answer = read()
    return time.perf_counter() - start, answer


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

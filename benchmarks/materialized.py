"""What one materialization took, and how a process that makes one is led: told when to begin, asked what it took."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measured import MARK, peak_of_process

_READY = "ready"


@dataclass(frozen=True)
class Materialized:
    """``peak_bytes`` is of the whole process, with the interpreter and the libraries."""

    rows: int
    seconds: float
    peak_bytes: int

    @property
    def per_second(self) -> float:
        return self.rows / self.seconds


def materialize_when_told(work: Callable[[], int]) -> None:
    """Say that everything is ready, wait for a line, do the ``work`` (which returns its rows), print what it took."""
    print(_READY, flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    rows = work()
    taken = time.perf_counter() - start
    print(MARK + json.dumps(asdict(Materialized(rows, taken, peak_of_process()))), flush=True)


class Materializing:
    """A process that waits at :func:`materialize_when_told`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    @property
    def goes_on(self) -> bool:
        return self._process.poll() is None

    def result(self) -> Materialized:
        """What it took, when it has ended."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(MARK):
                return Materialized(**json.loads(line.removeprefix(MARK)))
        raise RuntimeError(f"{self._process.args!r} ended without a result")


@contextmanager
def materializing(
    command: Sequence[str], *, cwd: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Materializing]:
    """The process, ready to begin; ended with the block.

    :raises RuntimeError: with what it wrote, when it does not get ready.
    """
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            start_new_session=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        if not any(line.strip() == _READY for line in process.stdout):
            raise RuntimeError(f"{' '.join(command)} failed:\n{log.read_text()}")
        yield Materializing(process)
    finally:
        process.kill()
        process.wait()

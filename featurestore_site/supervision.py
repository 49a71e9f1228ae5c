"""Several processes run as one: started together, restarted when one dies, stopped together (pure: no Django)."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from featurestore_site.priority import give_way

_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 60.0
_GRACE_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Part:
    """One process of the whole: its name in messages and its command line; ``niceness`` says how far it gives way."""

    name: str
    command: tuple[str, ...]
    niceness: int = 0


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    started: float
    failures: int = 0
    restart_at: float | None = field(default=None)


class Supervisor:
    """Runs ``parts`` until it is asked to stop by SIGINT or SIGTERM; a part that ends is started again.

    The pause before a restart doubles with each failure in a row, from one second to half a minute. On Linux the
    parts end with the supervisor even when it is killed.
    """

    def __init__(
        self, parts: Sequence[Part], *, environment: Mapping[str, str], say: Callable[[str], None] = print
    ) -> None:
        self._parts = parts
        self._environment = dict(environment)
        self._say = say
        self._stopping = False

    def run(self) -> None:
        """Start everything and return when everything has ended."""
        previous = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        running: list[_Running] = []
        try:
            for part in self._parts:
                running.append(self._start(part))
            while not self._stopping:
                for entry in running:
                    self._look_after(entry)
                time.sleep(0.2)
        finally:
            self._end(running)
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self, part: Part) -> _Running:
        supervisor = os.getpid()

        def begin() -> None:
            if part.niceness:
                give_way(part.niceness)
            if sys.platform == "linux":
                _die_with(supervisor)

        process = subprocess.Popen(part.command, env=self._environment, preexec_fn=begin, start_new_session=True)
        return _Running(part=part, process=process, started=time.monotonic())

    def _look_after(self, entry: _Running) -> None:
        now = time.monotonic()
        if entry.restart_at is not None:
            if now >= entry.restart_at:
                fresh = self._start(entry.part)
                entry.process, entry.started, entry.restart_at = fresh.process, fresh.started, None
            return
        code = entry.process.poll()
        if code is None:
            return
        _kill_remains(entry.process)
        entry.failures = 1 if now - entry.started > _STEADY_SECONDS else entry.failures + 1
        pause = min(2.0 ** (entry.failures - 1), _LONGEST_PAUSE)
        entry.restart_at = now + pause
        self._say(f"{entry.part.name} ended with code {code}; starting it again in {pause:g} s")

    def _end(self, running: Sequence[_Running]) -> None:
        for entry in running:
            if entry.process.poll() is None:
                entry.process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for entry in running:
            try:
                entry.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{entry.part.name} does not end; it is killed")
                entry.process.kill()
                entry.process.wait()
            _kill_remains(entry.process)


def _kill_remains(process: subprocess.Popen[bytes]) -> None:
    """End what a process that has ended left of its session, such as workers that would still hold its port."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _die_with(supervisor: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it was killed before the wish was heard
        os._exit(1)

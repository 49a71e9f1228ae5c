"""Servers on loopback: started in a process of their own, waited for, ended; and what they use of the machine."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 90.0


@dataclass(frozen=True)
class Server:
    """One that answers; ``pid`` is that of its first process."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(
    command: Sequence[str], *, port: int, ready: str, cwd: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run ``command``, which listens on ``port``, from when the path ``ready`` answers to the end of the block.

    :raises RuntimeError: with what it wrote, when it does not answer.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=output)
    server = Server(port=port, pid=process.pid)
    try:
        _wait_until_ready(f"{server.address}{ready}", process, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(_fields(stat)[1]), []).append(int(stat.parent.name))
        except OSError:  # it has ended in the meantime
            continue
    found = [pid]
    for member in found:
        found += parents.get(member, [])
    return found


def parent_of(pid: int) -> int | None:
    """The process that started this one; None when it has ended."""
    try:
        return int(_fields(Path(f"/proc/{pid}/stat"))[1])
    except OSError:
        return None


def processor_seconds(pid: int) -> float:
    """What a process has used of the processor so far, all threads together."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fields(stat: Path) -> list[str]:
    """The fields after the name, which is in parentheses and may hold blanks: state, parent, ..."""
    return stat.read_text().rpartition(")")[2].split()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answered at {url} within {_START_SECONDS:.0f} s:\n{log.read_text()}")

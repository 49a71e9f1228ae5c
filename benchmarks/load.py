"""A bounded load on one address of this machine, over connections that stay open.

By `wrk <https://github.com/wg/wrk>`_ where it is installed, which takes little of the machine from what it measures;
otherwise by a generator of our own: ``python -m benchmarks.load`` reads the plan as JSON from its standard input and
prints what it measured, as a process of its own, so that it shares no interpreter lock with what it measures.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.own_store import PROJECT

WRK, OWN = "wrk", "our own generator"
_CALL_SECONDS = 30
_SCRIPT = Path(__file__).with_name("wrk_post.lua")
_MARK = "measured: "
_WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Load:
    """``bodies`` are sent in turn, after the first ``sent`` of them, which a load before this one has sent; a plan ends
    after ``requests`` or ``seconds``, whichever is first.

    wrk knows no number of requests and ends after ``seconds``, and warms up for a second instead of ``warm_up``
    requests.
    """

    port: int
    path: str
    bodies: list[str]
    headers: dict[str, str]
    connections: int
    requests: int
    seconds: float
    warm_up: int = 50
    sent: int = 0


@dataclass(frozen=True)
class Served:
    """Latencies in seconds, of all requests after the warm-up; ``failed`` had another status than 200, or none.

    ``share`` is how much of one core the generator itself took: one that takes a whole core is what was measured.
    ``warm_up`` is the number of requests before those that count, and ``again`` the share of the entities that had been
    asked for earlier.
    """

    requests: int
    failed: int
    per_second: float
    median: float
    p99: float
    share: float
    warm_up: int = 0
    again: float = 0.0


class _Counter:
    """Deals out the numbers of the requests, from ``first`` on."""

    def __init__(self, first: int, count: int, deadline: float) -> None:
        self._next = first
        self._end = first + count
        self._deadline = deadline
        self._lock = threading.Lock()

    def take(self) -> int | None:
        with self._lock:
            if self._next >= self._end or time.perf_counter() > self._deadline:
                return None
            self._next += 1
            return self._next - 1


def generator() -> str:
    """What puts the load here: :data:`WRK` where it is installed."""
    return OWN if shutil.which("wrk") is None else WRK


def put_load_from_outside(plan: Load, *, by: str) -> Served:
    """Send the requests from a process of their own: that of wrk or of our own generator.

    :raises RuntimeError: with what it wrote, when it fails.
    """
    if by == WRK:
        return _by_wrk(plan)
    output = _run([sys.executable, "-m", "benchmarks.load"], plan, given=json.dumps(asdict(plan)))
    return Served(**json.loads(output))


def put_load(plan: Load) -> Served:
    """Send the requests from this process."""
    warm_up = len(_sent(plan, first=plan.sent, count=plan.warm_up)[0])
    start, used = time.perf_counter(), time.process_time()
    latencies, failed = _sent(plan, first=plan.sent + warm_up, count=plan.requests)
    taken = time.perf_counter() - start
    return Served(
        requests=len(latencies),
        failed=failed,
        per_second=len(latencies) / taken,
        median=statistics.median(latencies),
        p99=statistics.quantiles(latencies, n=100)[98] if len(latencies) > 1 else latencies[0],
        share=(time.process_time() - used) / taken,
        warm_up=warm_up,
    )


def _by_wrk(plan: Load) -> Served:
    with tempfile.TemporaryDirectory(prefix="featurestore-load-") as folder:
        file = Path(folder) / "plan"
        file.write_text("\n".join([plan.path, *(f"{name}: {text}" for name, text in plan.headers.items()), "",
                                   *plan.bodies]))  # fmt: skip
        warm_up = 0
        if plan.warm_up:
            warm_up = int(_measured(_run(_wrk(plan, file, sent=plan.sent, seconds=_WARM_UP_SECONDS), plan))[0])
        used = _processor_of_children()
        output = _run(_wrk(plan, file, sent=plan.sent + warm_up, seconds=math.ceil(plan.seconds)), plan)
        used = _processor_of_children() - used
    requests, failed, seconds, median, p99 = _measured(output)
    return Served(
        requests=int(requests),
        failed=int(failed),
        per_second=requests / seconds,
        median=median / 1e6,
        p99=p99 / 1e6,
        share=used / seconds,
        warm_up=warm_up,
    )


def _measured(output: str) -> list[float]:
    line = next(line for line in output.splitlines() if line.startswith(_MARK))
    return [float(number) for number in line.removeprefix(_MARK).split()]


def _wrk(plan: Load, file: Path, *, sent: int, seconds: int) -> list[str]:
    return [
        "wrk", "--threads", "1", "--connections", str(plan.connections), "--duration", f"{seconds}s",
        "--timeout", f"{_CALL_SECONDS}s", "--script", str(_SCRIPT), f"http://127.0.0.1:{plan.port}", "--", str(file),
        str(sent),
    ]  # fmt: skip


def _run(command: Sequence[str], plan: Load, *, given: str | None = None) -> str:
    done = subprocess.run(
        command, cwd=PROJECT, input=given, capture_output=True, text=True, check=False, timeout=plan.seconds + 120
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _processor_of_children() -> float:
    """Processor seconds of the processes that this one has started and seen end."""
    times = os.times()
    return times.children_user + times.children_system


def _sent(plan: Load, *, first: int, count: int) -> tuple[list[float], int]:
    counter = _Counter(first, count, time.perf_counter() + plan.seconds)
    latencies: list[list[float]] = [[] for _ in range(plan.connections)]
    failures = [0] * plan.connections

    def work(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", plan.port, timeout=_CALL_SECONDS)
        try:
            while (turn := counter.take()) is not None:
                start = time.perf_counter()
                connection.request("POST", plan.path, plan.bodies[turn % len(plan.bodies)], plan.headers)
                answer = connection.getresponse()
                answer.read()
                latencies[number].append(time.perf_counter() - start)
                failures[number] += answer.status != http.client.OK
        except (OSError, http.client.HTTPException):
            failures[number] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(plan.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [seconds for some in latencies for seconds in some], sum(failures)


def main() -> None:
    print(json.dumps(asdict(put_load(Load(**json.load(sys.stdin))))))


if __name__ == "__main__":
    main()

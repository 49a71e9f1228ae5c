"""A bounded load on one address of this machine: so many requests over so many connections that stay open.

``python -m benchmarks.load`` reads the plan as JSON from its standard input and prints what it measured. It is a
process of its own, so that it shares no interpreter lock with what it measures.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass

from benchmarks.own_store import PROJECT

_CALL_SECONDS = 30.0


@dataclass(frozen=True)
class Load:
    """``bodies`` are sent in turn; a plan ends after ``requests`` or ``seconds``, whichever is first."""

    port: int
    path: str
    bodies: list[str]
    headers: dict[str, str]
    connections: int
    requests: int
    seconds: float
    warm_up: int = 50


@dataclass(frozen=True)
class Served:
    """Latencies in seconds, of all requests after the warm-up; ``failed`` had another status than 200."""

    requests: int
    failed: int
    per_second: float
    median: float
    p99: float


class _Counter:
    """Deals out the numbers of the requests."""

    def __init__(self, count: int, deadline: float) -> None:
        self._left = count
        self._deadline = deadline
        self._lock = threading.Lock()

    def take(self) -> int | None:
        with self._lock:
            if self._left <= 0 or time.perf_counter() > self._deadline:
                return None
            self._left -= 1
            return self._left


def put_load(plan: Load) -> Served:
    """Send the requests from this process."""
    _sent(plan, count=plan.warm_up)
    start = time.perf_counter()
    latencies, failed = _sent(plan, count=plan.requests)
    taken = time.perf_counter() - start
    return Served(
        requests=len(latencies),
        failed=failed,
        per_second=len(latencies) / taken,
        median=statistics.median(latencies),
        p99=statistics.quantiles(latencies, n=100)[98] if len(latencies) > 1 else latencies[0],
    )


def put_load_from_outside(plan: Load) -> Served:
    """Send the requests from a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        cwd=PROJECT, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=False,
        timeout=plan.seconds + 120,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the load generator failed:\n{done.stderr}")
    return Served(**json.loads(done.stdout))


def _sent(plan: Load, *, count: int) -> tuple[list[float], int]:
    counter = _Counter(count, time.perf_counter() + plan.seconds)
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

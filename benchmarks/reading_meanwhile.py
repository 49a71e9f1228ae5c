"""A reader that reads until it is told to stop, and looks at every answer.

``python -m benchmarks.reading_meanwhile`` takes the plan as JSON on the first line of its standard input and stops at
the second; it prints what it measured. It is a process of its own, so that it shares no interpreter lock with others.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.own_store import PROJECT

_CALL_SECONDS = 30.0
_WARM_UP = 50


@dataclass(frozen=True)
class Question:
    """``answers`` are the rows that are right: the one of before and the one of after; none is looked at if empty."""

    body: str
    answers: list[list[float | None]] = field(default_factory=list)


@dataclass(frozen=True)
class ReadingPlan:
    """``pause`` seconds lie between two reads, so that the reader itself takes little of the machine."""

    port: int
    path: str
    headers: dict[str, str]
    questions: list[Question]
    pause: float = 0.002


@dataclass
class Readings:
    """Latencies in seconds. ``wrong`` answers were no row that was there, or an old one after the new one was seen."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    wrong: int = 0
    old: int = 0
    new: int = 0

    def add(self, other: Readings) -> None:
        self.latencies += other.latencies
        self.failed += other.failed
        self.wrong += other.wrong
        self.old += other.old
        self.new += other.new


class Reader:
    """The process that reads, seen from the one that started it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def stop(self) -> Readings:
        """What it measured until now."""
        output, _ = self._process.communicate("\n", timeout=_CALL_SECONDS * 2)
        return Readings(**json.loads(output))


@contextmanager
def reading(plan: ReadingPlan) -> Iterator[Reader]:
    """A reader at work; ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.reading_meanwhile"],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(plan)) + "\n")
        process.stdin.flush()
        yield Reader(process)
    finally:
        process.kill()
        process.wait()


def read_until(stop: threading.Event, plan: ReadingPlan) -> Readings:
    """Ask the questions in turn over one connection, and look at the answers."""
    found = Readings()
    newest: set[int] = set()
    connection = http.client.HTTPConnection("127.0.0.1", plan.port, timeout=_CALL_SECONDS)
    turn = 0
    while not stop.is_set():
        which = turn % len(plan.questions)
        question = plan.questions[which]
        turn += 1
        start = time.perf_counter()
        try:
            connection.request("POST", plan.path, question.body, plan.headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            # A server that hangs up has not answered; the next request opens a connection again.
            found.failed += 1
            connection.close()
            continue
        taken = time.perf_counter() - start
        if turn <= _WARM_UP:
            continue
        found.latencies.append(taken)
        if answer.status != http.client.OK:
            found.failed += 1
        elif question.answers:
            _look(found, newest, which, list(json.loads(body)["features"].values()), question)
        time.sleep(plan.pause)
    connection.close()
    return found


def _look(found: Readings, newest: set[int], which: int, values: list[Any], question: Question) -> None:
    before, after = question.answers
    if values == after:
        newest.add(which)
        found.new += 1
    elif values == before and which not in newest:
        found.old += 1
    else:
        found.wrong += 1


def main() -> None:
    given = json.loads(sys.stdin.readline())
    questions = [Question(**question) for question in given.pop("questions")]
    stop = threading.Event()

    def wait() -> None:
        sys.stdin.readline()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    print(json.dumps(asdict(read_until(stop, ReadingPlan(**given, questions=questions)))))


if __name__ == "__main__":
    main()

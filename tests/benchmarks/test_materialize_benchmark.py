"""The benchmark of materialization runs from end to end on very little data, and its reader sees what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.history_data import Shape, history_of, next_history
from benchmarks.own_store import PROJECT
from benchmarks.reading_meanwhile import Question, ReadingPlan, Readings, read_until

BEFORE, AFTER = [1.0, None], [2.0, 3.0]


@pytest.mark.slow
def test_a_small_run_measures_and_checks(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.materialize", "--entities", "300", "--features", "3", "--turns", "1",
            "--idle-seconds", "1", "--only", "own", "--folder", str(tmp_path),
        ],
        cwd=PROJECT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "| this store, SQLite | 1,200 |" in done.stdout
    assert "0 wrong" in done.stderr
    assert done.stdout.rstrip().endswith("| 0 | 0 |")


def test_the_next_rows_are_later_ones_of_the_same_entities() -> None:
    shape = Shape(entities=20, events=1, groups=1, features=2)
    first, second = history_of(shape, 0), next_history(shape, 0, 1)

    assert second.column_names == first.column_names
    assert second.column("entity_id").equals(first.column("entity_id"))
    pairs = zip(first.column("event_timestamp").to_pylist(), second.column("event_timestamp").to_pylist(), strict=True)
    assert all((later - earlier).total_seconds() == 1 for earlier, later in pairs)
    assert not second.column("g0_f00").equals(first.column("g0_f00"))
    assert next_history(shape, 0, 1).equals(second)


@contextmanager
def server_of(answers: list[tuple[int, list[float | None]]]) -> Iterator[int]:
    """The port of a server that gives these answers, and the last one from then on."""
    left = iter(answers)

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        last = answers[-1]

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, values = next(left, self.last)
            body = json.dumps({"features": {str(number): value for number, value in enumerate(values)}}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def readings_of(answers: list[tuple[int, list[float | None]]], monkeypatch: pytest.MonkeyPatch) -> Readings:
    monkeypatch.setattr("benchmarks.reading_meanwhile._WARM_UP", 0)
    with server_of(answers) as port:
        plan = ReadingPlan(port, "/", {}, [Question("{}", [BEFORE, AFTER])], pause=0)
        turns = iter(range(len(answers)))

        class Counted(threading.Event):
            def is_set(self) -> bool:
                return next(turns, None) is None

        stop = Counted()
        return read_until(stop, plan)


@pytest.mark.parametrize(
    ("answers", "old", "new", "wrong", "failed"),
    [
        ([(200, BEFORE), (200, BEFORE), (200, AFTER), (200, AFTER)], 2, 2, 0, 0),
        ([(200, BEFORE), (200, [1.0, 3.0])], 1, 0, 1, 0),
        ([(200, AFTER), (200, BEFORE)], 0, 1, 1, 0),
        ([(200, [None, None])], 0, 0, 1, 0),
        ([(503, BEFORE), (200, AFTER)], 0, 1, 0, 1),
    ],
    ids=["before and after", "half a row", "back again", "an empty moment", "an error"],
)
def test_the_reader_looks_at_every_answer(
    answers: list[tuple[int, list[float | None]]],
    old: int,
    new: int,
    wrong: int,
    failed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = readings_of(answers, monkeypatch)

    assert (found.old, found.new, found.wrong, found.failed) == (old, new, wrong, failed)
    assert len(found.latencies) == len(answers)

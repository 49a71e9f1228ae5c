"""The benchmark of online reads: its load, its figures and its tables, and a small run of all of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from benchmarks.history_data import Shape
from benchmarks.load import OWN, WRK, Load, Served, put_load_from_outside
from benchmarks.measured_memory import memory_now
from benchmarks.online_draws import EVEN, ORDERS, SKEWED, AskedBefore, drawn
from benchmarks.online_plan import askings_of, expected_minutes, workers_of
from benchmarks.online_questions import FEAST_CALL, OWN_CALL, bodies, questions
from benchmarks.online_report import report
from benchmarks.online_results import Figures, Key, Lookup, Memory, load_figures
from benchmarks.online_servers import CONSTANT, FEAST, OWN_MORE, OWN_NOTHING_KEPT, TITLES
from benchmarks.online_servers import OWN as OUR_STORE
from benchmarks.own_store import PROJECT


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        right = (self.path, self.headers["X-Name"], body) == ("/here", "of: a header", b"right")
        self.send_response(200 if right else 500)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is its own."""


def served(per_second: float, *, p99: float = 0.01, failed: int = 0) -> Served:
    return Served(requests=100, failed=failed, per_second=per_second, median=p99 / 2, p99=p99, share=0.1)


@pytest.mark.parametrize("by", [WRK, OWN])
def test_a_load_sends_its_bodies_in_turn_and_counts_failures(by: str) -> None:
    if by == WRK and shutil.which("wrk") is None:
        pytest.skip("needs wrk")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    plan = Load(
        port=server.server_port, path="/here", bodies=["right", "right", "right", "wrong"],
        headers={"X-Name": "of: a header"}, connections=2, requests=40, seconds=1 if by == WRK else 30,
        warm_up=2 if by == OWN else 0,
    )  # fmt: skip

    try:
        found = put_load_from_outside(plan, by=by)
    finally:
        server.shutdown()
        server.server_close()

    assert found.requests == 40 if by == OWN else found.requests > 40
    assert found.failed / found.requests == pytest.approx(0.25, abs=0 if by == OWN else 0.05)
    assert 0 < found.median <= found.p99 < 1
    assert 0 <= found.share < 2
    assert found.per_second > 20


@pytest.mark.parametrize("by", [WRK, OWN])
def test_a_load_goes_on_where_the_one_before_ended(by: str) -> None:
    if by == WRK and shutil.which("wrk") is None:
        pytest.skip("needs wrk")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Only who begins after the first three of so many bodies asks rightly.
    plan = Load(
        port=server.server_port, path="/here", bodies=["wrong"] * 3 + ["right"] * 100_000,
        headers={"X-Name": "of: a header"}, connections=1, requests=40, seconds=1 if by == WRK else 30, warm_up=0,
        sent=3,
    )  # fmt: skip

    try:
        after = put_load_from_outside(plan, by=by)
        from_the_start = put_load_from_outside(replace(plan, sent=0), by=by)
    finally:
        server.shutdown()
        server.server_close()

    assert (after.failed, from_the_start.failed) == (0, 3)
    assert after.warm_up == 0


@pytest.mark.parametrize("order", ORDERS)
def test_both_calls_ask_for_the_same(order: str) -> None:
    shape = Shape(entities=500)

    for question in questions():
        ours = [json.loads(body) for body in bodies(question, shape, order=order, call=OWN_CALL)]
        theirs = [json.loads(body) for body in bodies(question, shape, order=order, call=FEAST_CALL)]

        for mine, other in zip(ours, theirs, strict=True):
            asked = mine.get("entity_ids") or [mine["entity_id"]]
            assert asked == other["entities"]["entity_id"]
            assert len(set(asked)) == question.entities
            assert [f"group_{name[1]}:{name}" for name in mine["features"]] == other["features"]


def test_in_an_even_order_every_entity_comes_once_before_any_comes_again() -> None:
    shape = Shape(entities=500)

    one, many = drawn(shape, EVEN, 1), drawn(shape, EVEN, 100)

    assert sorted(one[:, 0]) == list(range(500))
    assert many.shape == (50, 100)
    assert all(sorted(many[first : first + 5].ravel()) == list(range(500)) for first in range(0, 50, 5))


def test_what_was_asked_before_is_known_across_questions_and_rounds() -> None:
    shape = Shape(entities=500)
    one, many = drawn(shape, EVEN, 1), drawn(shape, EVEN, 100)
    before = AskedBefore(shape)

    shares = [before.ask(one, first=0, requests=100), before.ask(one, first=100, requests=300)]
    assert shares == [0.0, 0.0]
    assert before.ask(many, first=0, requests=10) == pytest.approx(0.9)
    assert before.ask(one, first=400, requests=200) == 1.0
    assert AskedBefore(shape).ask(one, first=300, requests=1_000) == 0.5
    assert AskedBefore(shape).ask(one, first=0, requests=0) == 0.0


def test_in_a_skewed_order_entities_are_wanted_by_zipfs_law() -> None:
    asked = drawn(Shape(), SKEWED, 1)[:, 0]
    counts = np.sort(np.bincount(asked, minlength=100_000))[::-1]

    # The harmonic numbers of 100,000 for the exponent 0.99, of which the first, the first ten and thousand are shares.
    weights = np.arange(1, 100_001) ** -0.99
    shares = [weights[:first].sum() / weights.sum() for first in (1, 10, 1_000)]
    assert [counts[:first].sum() / len(asked) for first in (1, 10, 1_000)] == pytest.approx(shares, rel=0.06)
    # Its most wanted entities lie apart.
    assert np.abs(np.diff(np.argsort(np.bincount(asked))[::-1][:10])).min() > 100


def test_what_says_nothing_is_left_out() -> None:
    asked = {
        (name, workers, asking.order, question.name)
        for name in (CONSTANT, OUR_STORE, OWN_NOTHING_KEPT, OWN_MORE, FEAST)
        for workers in workers_of(name, [1, 2])
        for asking in askings_of(name, workers, of=[1, 2])
        for question in asking.questions
    }

    every = {(workers, order, question.name) for workers in (1, 2) for order in ORDERS for question in questions()}
    assert {key[1:] for key in asked if key[0] == OUR_STORE} == every
    assert {key[1:] for key in asked if key[0] == FEAST} == every
    assert {key[1:] for key in asked if key[0] == CONSTANT} == {(1, EVEN, "1x10"), (2, EVEN, "1x10")}
    assert {key[1:3] for key in asked if key[0] == OWN_MORE} == {(2, EVEN)}
    assert {key[1:3] for key in asked if key[0] == OWN_NOTHING_KEPT} == {(1, EVEN), (2, EVEN), (2, SKEWED)}


def test_the_published_run_takes_about_twenty_minutes() -> None:
    minutes = expected_minutes(
        list(TITLES), shape=Shape(), workers=[1, 2], connections=[1, 8, 32], seconds=3
    )  # fmt: skip
    assert 15 < minutes < 22


def test_figures_of_several_runs_make_one_table(tmp_path: Path) -> None:
    first, second = Figures(notes={"machine": "Measured here."}), Figures()
    first.served = {
        Key(FEAST, 2, EVEN, "1x10", 8): served(1_000, p99=0.02),
        Key(OUR_STORE, 2, EVEN, "1x10", 8): served(10),
        Key(CONSTANT, 2, EVEN, "1x10", 8): served(9_000),
        Key(FEAST, 2, EVEN, "1x20", 8): Served(
            requests=0, failed=0, per_second=0.0, median=0.0, p99=0.0, share=0.0
        ),
        Key(OUR_STORE, 2, EVEN, "1x20", 8): served(10),
        Key(OWN_NOTHING_KEPT, 2, EVEN, "1x10", 8): served(2_000),
        Key(OWN_MORE, 2, EVEN, "1x10", 8): served(3_000, p99=0.006),
        Key(OUR_STORE, 2, SKEWED, "1x10", 8): replace(served(4_500), again=0.6),
        Key(FEAST, 2, SKEWED, "1x10", 8): served(900, p99=0.01, failed=2),
    }  # fmt: skip
    first.memory = {(FEAST, 2): Memory(140_000_000, 160_000_000, 50_000_000, 1, 2)}
    first.lookups = {"1x10": Lookup(query=11e-6, answer=20e-6)}
    second.served = {Key(OUR_STORE, 2, EVEN, "1x10", 8): served(3_600, p99=0.005, failed=3)}
    second.memory = {(OUR_STORE, 2): Memory(150_000_000, 160_000_000, 70_000_000, 1, 2)}
    files = [tmp_path / "first.json", tmp_path / "second.json", tmp_path / "not there.json"]
    first.save(files[0])
    second.save(files[1])

    figures = load_figures(files)
    text = report(figures)

    assert text.startswith("Measured here.")
    assert figures.failed() == {OUR_STORE: 3, FEAST: 2}
    even, skewed = text.split("### Entities asked for: ")[1:]
    assert "| this store, 2 workers | 2.5 ms, 5.0 ms, 3,600, **3 failed** |" in even
    assert "| this store, no answers kept, 2 workers | 5.0 ms, 10 ms, 2,000 |" in even
    assert "| this store, 2 workers | 3.60 ×, 0.25 × |" in even
    assert "| this store, 2 workers | 0.40 × |" in even
    assert "| Feast, 2 workers | **none answered** |" in even
    # A constant answer is the same in any order.
    assert "| this store, 2 workers | 5.00 ×, 1.00 × |" in skewed
    assert "| this store, 2 workers | 0.50 × |" in skewed
    assert "| this store, 2 workers | 0% | 0% |  | 60% |  |  |" in text
    assert "| 1 entity × 10 features of 1 group | 11 µs | 20 µs | 50,000 |" in text
    assert "| this store, 2 workers | 150 MB | 160 MB | 70 MB | 0 MB | 0 MB |" in text
    assert "| this store | 1 × 10: at least 3 × Feast's requests/s | 3.60 × |" in text
    assert "| this store, no answers kept | 1 × 10: at least 3 × Feast's requests/s | 2.00 × (missed) |" in text
    assert "| this store | 1 × 10: at least 0.45 × the requests/s of the constant answer | 0.40 × (missed) |" in text
    assert (
        "| this store, with many more features | 1 × 10: median at most 1.1 × that without | 1.20 × (missed) |" in text
    )
    assert "| this store | memory of an idle worker below Feast's | 1.07 × (missed) |" in text


def test_memory_is_that_of_the_largest_worker_and_of_all() -> None:
    worker = [sys.executable, "-c", "held = bytearray(80_000_000); print(flush=True); input()"]
    parent = (
        f"import subprocess; held = bytearray(10**8); child = subprocess.Popen({worker!r}, stdin=subprocess.PIPE)\n"
        "input(); child.communicate(b'\\n')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the child has its memory

        found = memory_now(process.pid)

        process.communicate("\n")
    assert 80_000_000 < found.anonymous < found.worker < 100_000_000
    assert found.together > 180_000_000


@pytest.mark.slow
def test_a_small_run_measures_the_store_beside_a_constant_answer(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.online", "--quick", "--folder", str(tmp_path / "kept"), "--seconds", "1",
            "--requests", "30", "--workers", "1", "--connections", "2", "--only", "bare", "constant", "own",
            "--figures", str(figures),
        ],
        cwd=PROJECT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    found = load_figures([figures])
    asked = [question.name for question in questions()]
    ours = {Key(OUR_STORE, 1, order, question, 2) for order in ORDERS for question in asked}
    assert set(found.served) == {Key(CONSTANT, 1, EVEN, "1x10", 2), *ours}
    assert all(value.failed == 0 and value.per_second > 0 for value in found.served.values())
    assert found.memory[OUR_STORE, 1].worker_idle > found.memory[CONSTANT, 1].worker_idle > 10_000_000
    assert set(found.lookups) == set(asked)
    assert "Requests that failed: none." in done.stdout

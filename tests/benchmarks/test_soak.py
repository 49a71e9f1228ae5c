"""The soak: what it takes for wrong, and a short run of all of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from benchmarks import soak_laws, soak_memory
from benchmarks.own_store import PROJECT
from benchmarks.soak_laws import Law
from benchmarks.soak_memory import POOL, MemoryWatch, Watched, growing
from benchmarks.soak_store import revision_of, value


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(soak_laws, "time", clock)
    return clock


def law_of(clock: Clock, *changes: tuple[object, float, float | None], grace: float = 1.0) -> Law:
    """A law with changes of value, begun and acknowledged at these times."""
    law = Law("mask", grace=grace)
    for value_, begun, done in changes:
        clock.now = begun
        law.begin(value_)
        if done is not None:
            clock.now = done
            law.acknowledge()
    return law


def test_old_and_new_may_be_seen_while_a_change_is_made(clock: Clock) -> None:
    law = law_of(clock, ("old", 0, 0), ("new", 10, None))
    assert law.fault("old", begun=11, ended=12) is None
    assert law.fault("new", begun=11, ended=12) is None
    assert law.fault("new", begun=5, ended=9) == "mask: 'new' was seen, which was never there"
    assert law.fault("other", begun=11, ended=12) == "mask: 'other' was seen, which was never there"


def test_the_old_may_be_seen_for_as_long_as_the_grace(clock: Clock) -> None:
    law = law_of(clock, ("old", 0, 0), ("new", 10, 11))
    assert law.fault("new", begun=11, ended=11.1) is None
    assert law.fault("old", begun=10.9, ended=13) is None
    assert law.fault("old", begun=11.5, ended=13) is None
    assert law.slowest == pytest.approx(0.5)
    assert law.fault("old", begun=12.5, ended=13) == "mask: 'old' was seen 1.50 s after 'new' was acknowledged"


def test_without_grace_the_old_is_wrong_at_once(clock: Clock) -> None:
    law = law_of(clock, (1, 0, 0), (2, 10, 11), (3, 12, None), grace=0.0)
    assert law.fault(1, begun=10.5, ended=13) is None
    assert law.fault(2, begun=11.1, ended=13) is None
    assert law.fault(3, begun=11.1, ended=13) is None
    assert law.fault(1, begun=11.1, ended=11.2) is not None


def test_what_comes_back_may_be_seen_again(clock: Clock) -> None:
    law = law_of(clock, ("shown", 0, 0), ("masked", 10, 11), ("shown", 20, 21), ("masked", 30, 31))
    assert law.count == 4
    assert law.fault("shown", begun=15, ended=15.1) is not None
    assert law.fault("shown", begun=25, ended=25.1) is None
    assert law.fault("masked", begun=25, ended=25.1) is not None
    assert law.fault("shown", begun=40, ended=40.1) is not None


def test_a_row_of_two_revisions_is_of_none() -> None:
    assert revision_of([value(7, number) for number in range(5)]) == 7
    assert revision_of([value(7, 0), value(8, 1)]) is None
    assert revision_of([None, value(7, 1)]) is None


def test_the_slope_of_memory_is_taken_after_the_warm_up() -> None:
    seconds = [float(second) for second in range(0, 300, 2)]
    rising = [100_000_000 + int(max(0.0, 60.0 - second) * -1_000_000) for second in seconds]
    flat = Watched("flat", seconds, rising)
    leaking = Watched("leaking", seconds, [int(100_000_000 + second * 50_000) for second in seconds])
    short = Watched("short", seconds[:20], [1] * 20)

    assert flat.slope(after=100) == pytest.approx(0.0, abs=1.0)
    assert leaking.slope(after=100) == pytest.approx(3_000_000)
    assert short.slope(after=0) is None
    assert leaking.at_shares((0.0, 1.0)) == [100_000_000, 114_900_000]


def process(name: str, *, start: int, rise: float, life: int = 200) -> Watched:
    """A process that was seen every two seconds."""
    seconds = [float(second) for second in range(0, life, 2)]
    return Watched(name, seconds, [start + round(rise * second) for second in seconds])


def test_what_is_replaced_is_compared_with_the_first() -> None:
    pool = [process(POOL, start=start, rise=100_000) for start in (280_000_000, 290_000_000)]
    web = process("web, serving", start=200_000_000, rise=100)
    assert growing([web, *pool], after=50, most=1e6, most_share=0.15) == []
    larger = process(POOL, start=360_000_000, rise=0)
    leaking = process("web, serving", start=200_000_000, rise=50_000)
    assert growing([leaking, *pool, larger], after=50, most=1e6, most_share=0.15) == [
        "web, serving grows by 3.00 MB a minute",
        "worker, serving: of 3 one is larger than the first by 20%",
    ]


def test_what_was_replaced_before_it_was_warm_is_not_compared() -> None:
    brief = process(POOL, start=160_000_000, rise=0, life=20)
    warm = process(POOL, start=300_000_000, rise=0)
    larger = process(POOL, start=350_000_000, rise=0)
    assert growing([brief, warm], after=50, most=1e6, most_share=0.15) == []
    assert growing([brief, warm, larger], after=50, most=1e6, most_share=0.15) == [
        "worker, serving: of 2 one is larger than the first by 17%"
    ]


_WORKER = """
import os, sys
sys.stdin.readline()
child = os.fork()
if child:
    print(child, flush=True)
sys.stdin.readline()
"""


def test_a_worker_that_was_seen_before_its_pool_is_none_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak_memory, "_EVERY_SECONDS", 0.01)
    command = [sys.executable, "-c", _WORKER, "celery"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        watch = MemoryWatch(worker.pid)
        watch.start()
        until(lambda: names(watch) == {worker.pid: POOL})
        print(file=worker.stdin, flush=True)
        child = int(worker.stdout.readline())
        until(lambda: names(watch) == {worker.pid: "worker, main", child: POOL})
        watch.stop()
        print("\n", file=worker.stdin, flush=True)


def names(watch: MemoryWatch) -> dict[int, str]:
    return {pid: process.name for pid, process in list(watch.watched.items())}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.slow
def test_a_short_soak_finds_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.25"],
        cwd=PROJECT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing was wrong." in done.stdout
    assert "× refresh" in done.stdout

"""Groups are answered by the thread that asks and by helpers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.point_in_time import side_by_side as module
from serving.point_in_time.side_by_side import side_by_side


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROCESSORS", 2)


def test_answers_come_in_the_order_of_the_items() -> None:
    assert side_by_side(lambda item: item * item, range(50)) == [item * item for item in range(50)]
    assert side_by_side(str, []) == []


def test_two_work_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=30)
    assert side_by_side(lambda item: both.wait() >= 0 and item, [1, 2]) == [1, 2]


def test_who_asks_does_not_wait_for_a_helper_that_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1) as helpers:
        monkeypatch.setattr(module, "_helpers", helpers)
        release = threading.Event()
        helpers.submit(release.wait, 30)
        me = threading.get_ident()
        assert side_by_side(lambda _: threading.get_ident(), range(3)) == [me] * 3
        release.set()


def test_what_fails_is_raised_and_nothing_goes_on() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 1:
            raise LookupError("the second")
        time.sleep(0.001)
        return item

    with pytest.raises(LookupError, match="the second"):
        side_by_side(work, range(1_000))
    count = len(begun)
    assert count < 1_000
    assert side_by_side(str, [1]) == ["1"]
    assert len(begun) == count

"""One thread answers the short calls while it keeps up; nobody waits long for one that does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from featurestore_site import leading_thread
from featurestore_site.leading_thread import LeadingThread

LONG = 30.0


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """A second thread, always the same one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


def test_the_first_thread_leads_and_goes_on_leading(other: ThreadPoolExecutor) -> None:
    leading = LeadingThread()
    assert leading.take_short()
    assert not other.submit(leading.take_short).result()
    assert leading.take_short()


def test_a_resting_thread_is_called_when_the_leader_takes_something_long(
    other: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading_thread, "REST_SECONDS", LONG)
    leading = LeadingThread()
    leading.take_short()
    begun = time.monotonic()
    rested = other.submit(leading.rest)
    while not leading._changed._waiters:  # type: ignore[attr-defined]  # who waits is nowhere else to see
        time.sleep(0.001)
    leading.take_long()
    rested.result(timeout=LONG)
    assert time.monotonic() - begun < LONG
    assert other.submit(leading.take_short).result()
    assert not leading.take_short()


def test_nobody_rests_while_nobody_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading_thread, "REST_SECONDS", LONG)
    leading = LeadingThread()
    leading.take_short()
    leading.take_long()
    begun = time.monotonic()
    leading.rest()
    assert time.monotonic() - begun < LONG


def test_a_long_call_of_another_thread_leaves_the_leader(other: ThreadPoolExecutor) -> None:
    leading = LeadingThread()
    leading.take_short()
    other.submit(leading.take_long).result()
    assert leading.take_short()


def test_who_rests_behind_a_leader_that_hangs_leads_next(other: ThreadPoolExecutor) -> None:
    leading = LeadingThread()
    leading.take_short()
    other.submit(leading.rest).result()
    assert other.submit(leading.take_short).result()


def test_a_leader_that_takes_calls_meanwhile_goes_on_leading(
    other: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading_thread, "REST_SECONDS", 0.2)
    leading = LeadingThread()
    leading.take_short()
    rested = other.submit(leading.rest)
    while not rested.done():
        leading.take_short()
        time.sleep(0.001)
    assert not other.submit(leading.take_short).result()


def test_many_threads_that_take_all_kinds_of_calls_all_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading_thread, "REST_SECONDS", 0.002)
    leading = LeadingThread()

    def work(number: int) -> None:
        for turn in range(200):
            if (turn + number) % 7 == 0:
                leading.take_long()
            elif not leading.take_short():
                leading.rest()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert [thread.is_alive() for thread in threads] == [False] * 8

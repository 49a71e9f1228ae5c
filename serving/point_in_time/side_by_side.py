"""Work that is shared between the thread that asks for it and helpers, as many as there are other processors.

Helpers stay: memory that Arrow gave to a thread is used again by this thread only, so threads that come and go with
every request leave theirs behind. Who asks does not wait for a helper that is busy elsewhere, but does the work itself.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

PROCESSORS = os.cpu_count() or 1


def side_by_side(work: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
    """``work`` done on each of the items, in their order. What fails first is raised once nothing is under way."""
    waiting = deque(enumerate(items))
    done: dict[int, Answer] = {}

    def take_turns() -> None:
        while (turn := _next(waiting)) is not None:
            number, item = turn
            try:
                done[number] = work(item)
            except BaseException:
                waiting.clear()
                raise

    helping = [_helpers.submit(take_turns) for _ in range(min(len(items), PROCESSORS) - 1)]
    try:
        take_turns()
    finally:
        begun = [helper for helper in helping if not helper.cancel()]
        failures = [failure for helper in begun if (failure := helper.exception()) is not None]
    for failure in failures:
        raise failure
    return [done[number] for number in range(len(items))]


def _next(waiting: deque[tuple[int, Item]]) -> tuple[int, Item] | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None


# Its threads begin when there is work for them.
_helpers = ThreadPoolExecutor(max_workers=max(PROCESSORS - 1, 1), thread_name_prefix="point-in-time")

"""Items made by a thread while those before them are used."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _Made(Generic[Item]):
    item: Item


@dataclass(frozen=True, slots=True)
class _Ended:
    """There are no more items; because of ``error``, where there is one."""

    error: BaseException | None = None


@contextmanager
def made_ahead(items: Iterable[Item], *, waiting: int = 1) -> Iterator[Iterator[Item]]:
    """``items``, in their order, made by a thread of their own; ``waiting`` of them and the next are made ahead.

    What making one raises is raised where it would have been taken. The thread has ended when the block is left,
    however that happens. It must not use the database: connections belong to their thread.
    """
    ready: SimpleQueue[_Made[Item] | _Ended] = SimpleQueue()
    room = threading.Semaphore(waiting)
    stopped = threading.Event()

    def make() -> None:
        try:
            for item in items:
                ready.put(_Made(item))
                room.acquire()
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that takes the items
            ready.put(_Ended(error))
        else:
            ready.put(_Ended())

    def taken() -> Iterator[Item]:
        while True:
            match ready.get():
                case _Made(item):
                    room.release()
                    yield item
                case _Ended(error):
                    if error is not None:
                        raise error
                    return

    thread = threading.Thread(target=make, name="made-ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stopped.set()
        room.release()
        thread.join()

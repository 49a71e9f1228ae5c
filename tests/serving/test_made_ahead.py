"""A thread makes the next items while one is used, never many of them, and never longer than somebody takes them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from serving.made_ahead import made_ahead

LONG = 10.0


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "made-ahead"]


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_all_items_in_their_order(count: int) -> None:
    with made_ahead(range(count)) as items:
        assert list(items) == list(range(count))
    assert threads() == []


def test_the_next_are_made_while_one_is_used_and_no_more() -> None:
    made: list[int] = []
    third = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 2:
                third.set()
            yield number

    with made_ahead(numbers(), waiting=1) as items:
        assert next(items) == 0
        # Given back, the room of the first item lets two more be made.
        assert third.wait(LONG)
        assert made == [0, 1, 2]
    assert len(made) <= 4
    assert threads() == []


class _Broken(BaseException):
    """No error that a program expects."""


def test_what_making_one_raises_is_raised_where_it_would_be_taken() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise _Broken("at the second")

    with made_ahead(numbers()) as items:
        assert next(items) == 1
        with pytest.raises(_Broken, match="at the second"):
            next(items)
    assert threads() == []


def test_who_stops_taking_leaves_no_thread() -> None:
    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    def take_some() -> None:
        with made_ahead(endless()) as items:
            assert [next(items), next(items)] == [0, 1]
            assert threads() == ["made-ahead"]
            raise _Broken

    with pytest.raises(_Broken):
        take_some()

    assert threads() == []


def test_nobody_takes_any() -> None:
    with made_ahead(iter([1, 2, 3])):
        pass
    assert threads() == []

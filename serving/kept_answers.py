"""Answers of online reads that a process keeps, within a number of bytes (pure: no Django).

An answer lies on a shelf with others of the same plan, form and state of the rows. It is used as long as the state is
the same and the instant is one at which the same rows count. The room that all shelves share has two halves: what is
new or used goes into the young one, and when that is full, it becomes the old one and what was old and not used goes.

To keep an answer costs more than to make it once, so only what is asked for a second time is kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from sys import getsizeof
from typing import Any, NamedTuple

from serving.stores.online_revisions import Revisions

# Of an answer's places in a dictionary, its times and its key.
_ENTRY_BYTES = 350
# One answer shall not drive all others out.
_PART_FOR_ONE = 8


class KeptAnswer(NamedTuple):
    """An answer as it is at every instant from ``since_us`` to ``until_us``, both included, and its size in memory."""

    since_us: int
    until_us: int
    answer: Any
    bytes: int

    @classmethod
    def of(cls, answer: Any, *, size: int, span: tuple[int, int]) -> KeptAnswer:
        """An answer of ``size`` bytes for the instants of the span."""
        return cls(*span, answer, size + _ENTRY_BYTES)


class Doorkeeper:
    """Knows what was asked for not long ago, in little memory: a Bloom filter with one hash function.

    It may take one for another, at most in one case of four, and forgets all of them at once when it has met some ten
    thousands. (A doorkeeper of this kind: Einziger, Friedman and Manes, TinyLFU, 2017.)
    """

    _PLACES = 1 << 17
    _FULL = 1 << 15

    def __init__(self) -> None:
        self._met = bytearray(self._PLACES)
        self._count = 0

    def meet(self, visitor: Hashable) -> bool:
        """Whether this visitor was met before."""
        met, place = self._met, hash(visitor) % self._PLACES
        if met[place]:
            return True
        met[place] = 1
        self._count += 1
        # Two threads may count one for two or lose one: who is forgotten a little sooner or later does not matter.
        if self._count > self._FULL:
            self._met, self._count = bytearray(self._PLACES), 0
        return False


class Shelf:
    """The answers kept of one form, which were made of rows of these ``revisions`` or of later ones."""

    __slots__ = ("_room", "is_cleared", "old", "revisions", "young", "young_bytes")

    def __init__(self, room: AnswerRoom, revisions: Revisions) -> None:
        self._room = room
        self.revisions = revisions
        self.young: dict[Hashable, KeptAnswer] = {}
        self.old: dict[Hashable, KeptAnswer] = {}
        self.young_bytes = 0
        self.is_cleared = False

    def find(self, keys: Sequence[Hashable], at_us: int, *, limit: int) -> list[KeptAnswer | None]:
        """Per key the answer that holds at that instant, None where there is none; waits for nobody."""
        found: list[KeptAnswer | None] = []
        used_again: dict[Hashable, KeptAnswer] = {}
        young, old = self.young, self.old
        for key in keys:
            kept = young.get(key)
            if kept is None and (kept := old.get(key)) is not None:
                used_again[key] = kept
            found.append(kept if kept is not None and kept[0] <= at_us <= kept[1] else None)
        if used_again:
            self._room.keep(self, used_again, limit=limit)
        return found


class PlanAnswers:
    """The shelves of one plan, by form; ``facts`` is what the answers depend on beside the rows."""

    def __init__(self, room: AnswerRoom, facts: str) -> None:
        self.facts = facts
        self._room = room
        self.shelves: dict[str, Shelf] = {}
        self.is_dropped = False

    def asked_again(self, form: str, keys: Iterable[Hashable]) -> set[Hashable]:
        """Those of the keys whose answer in this form was asked for before, and so will be asked for again."""
        meet, plan = self._room.doorkeeper.meet, id(self)
        return {key for key in keys if meet((plan, form, key))}

    def shelf(self, form: str) -> Shelf | None:
        return self.shelves.get(form)

    def keep(self, form: str, revisions: Revisions, answers: Mapping[Hashable, KeptAnswer], *, limit: int) -> None:
        """Keep answers that were made of rows of these revisions; those of others go."""
        shelf = self.shelves.get(form)
        if shelf is None or shelf.revisions != revisions:
            shelf = self._room.renewed(self, form, revisions)
        self._room.keep(shelf, answers, limit=limit)


class AnswerRoom:
    """All that the process keeps."""

    def __init__(self) -> None:
        self.doorkeeper = Doorkeeper()
        self._lock = threading.Lock()
        self._plans: OrderedDict[Hashable, PlanAnswers] = OrderedDict()
        self._young_bytes = 0

    def of_plan(self, key: Hashable, facts: str, *, most: int) -> PlanAnswers:
        """What is kept of the plan of that key, nothing yet if its facts were others; of ``most`` plans at most."""
        with self._lock:
            known = self._plans.get(key)
            if known is None or known.facts != facts:
                if known is not None:
                    self._drop(known)
                known = self._plans[key] = PlanAnswers(self, facts)
            self._plans.move_to_end(key)
            while len(self._plans) > most:
                self._drop(self._plans.popitem(last=False)[1])
        return known

    def renewed(self, plan: PlanAnswers, form: str, revisions: Revisions) -> Shelf:
        """The plan's shelf for answers of these revisions, empty unless another thread has begun with it."""
        with self._lock:
            shelf = plan.shelves.get(form)
            if shelf is None or shelf.revisions != revisions:
                if shelf is not None:
                    self._clear_shelf(shelf)
                shelf = plan.shelves[form] = Shelf(self, revisions)
                # Somebody may still read by a plan of which nothing is kept any more.
                shelf.is_cleared = plan.is_dropped
            return shelf

    def keep(self, shelf: Shelf, answers: Mapping[Hashable, KeptAnswer], *, limit: int) -> None:
        """Put answers among the young ones of the shelf."""
        with self._lock:
            if shelf.is_cleared:
                return
            for key, kept in answers.items():
                if kept.bytes > limit // _PART_FOR_ONE:
                    continue
                if self._young_bytes + kept.bytes > limit // 2:
                    self._age()
                known = shelf.young.get(key)
                added = kept.bytes if known is None else kept.bytes - known.bytes
                shelf.young[key] = kept
                shelf.young_bytes += added
                self._young_bytes += added

    def bytes(self) -> int:
        """The size in memory of all that is kept."""
        with self._lock:
            shelves = [shelf for plan in self._plans.values() for shelf in plan.shelves.values()]
            return sum(kept.bytes for shelf in shelves for half in (shelf.young, shelf.old) for kept in half.values())

    def _age(self) -> None:
        for plan in self._plans.values():
            for shelf in plan.shelves.values():
                shelf.old, shelf.young = shelf.young, {}
                shelf.young_bytes = 0
        self._young_bytes = 0

    def _drop(self, plan: PlanAnswers) -> None:
        plan.is_dropped = True
        for shelf in plan.shelves.values():
            self._clear_shelf(shelf)

    def _clear_shelf(self, shelf: Shelf) -> None:
        # Threads may still read it: what they find was true when they asked.
        shelf.is_cleared = True
        self._young_bytes -= shelf.young_bytes
        shelf.young, shelf.old, shelf.young_bytes = {}, {}, 0


def memory_of(values: Sequence[object]) -> int:
    """About how many bytes JSON values take in memory, with the sequence that they are in."""
    inner = [value for value in values if isinstance(value, list | dict)]
    return (
        getsizeof(values)
        + sum(map(getsizeof, values))
        + sum(memory_of([*value, *value.values()] if isinstance(value, dict) else value) for value in inner)
    )

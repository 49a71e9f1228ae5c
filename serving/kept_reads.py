"""Online reads that use what the process has kept of earlier ones, and keep what they had to make.

An answer that is kept is given only after a look at the revisions of its groups, by which every commit that was
acknowledged before the look is known, whichever process made it. Who asks, what they may see and that they have read
is worked out and recorded for every request, whether its answer is kept or not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from serving.entity_rows import EntityRow
from serving.kept_answers import KeptAnswer, memory_of
from serving.models.fields import to_microseconds
from serving.online_answers import entity_vector
from serving.online_plan import OnlinePlan, room_for_answers
from serving.online_reads import EntityAnswer, answer_from, refuse_too_much, span_of
from serving.stores.online import Rows, online_store
from serving.stores.online_revisions import Revisions
from serving.wire.json_bytes import lasting_json_bytes

Answer = TypeVar("Answer")

# Values of other kinds may be equal without being written alike: 1, 1.0 and true.
_TOLD_APART = {int, str}


class Asked(Protocol):
    """The entities of a request, as they are written there; each is looked at when its row is taken."""

    @property
    def values(self) -> Sequence[object]: ...

    def row(self, position: int) -> EntityRow: ...


class Form(NamedTuple, Generic[Answer]):
    """What an answer about one entity is made into, and how many bytes that takes."""

    name: str
    made: Callable[[OnlinePlan, EntityAnswer], Answer]
    size: Callable[[Answer], int]


class KeptRead(Generic[Answer]):
    """A read of some entities at the instant ``at``; whoever makes it knows that they are written as they should be.

    :raises InvalidInput: when they are not.
    """

    def __init__(self, *, plan: OnlinePlan, asked: Asked, form: Form[Answer], at: datetime) -> None:
        self.plan, self.count = plan, len(asked.values)
        self._asked, self._form = asked, form
        self._at_us = to_microseconds(at)
        self._rows: dict[int, EntityRow] = {}
        self._room = 0 if plan.kept is None else room_for_answers()
        self._keys = self._keys_of(asked.values)
        self._shelf = plan.kept.shelf(form.name) if plan.kept is not None and self._room else None
        self._found: list[KeptAnswer | None] = [None] * len(self._keys)
        if self._shelf is not None:
            self._found = self._shelf.find(self._keys, self._at_us, limit=self._room)
        self._missing: Sequence[int] = ()
        self._wanted_again: AbstractSet[Hashable] = frozenset()
        self._look_at_missing()

    def answers(self) -> list[Answer]:
        """The answer about every entity, in the order asked.

        :raises TooLarge: as :func:`serving.online_reads.read_online` does.
        :raises Unavailable: likewise.
        """
        refuse_too_much(self.plan, self.count)
        store = online_store()
        revisions: Revisions | None = None
        if self._shelf is not None and len(self._missing) < len(self._found):
            revisions = store.revisions(self.plan.group_ids)
            if revisions != self._shelf.revisions:
                self._found = [None] * len(self._keys)
                self._look_at_missing()
            stored = store.read(self._wanted()) if self._missing else {}
        elif self._wanted_again:
            stored, revisions = store.read_with_revisions(self._wanted())
        else:
            stored = store.read(self._wanted())
        made = self._made(stored)
        if self._wanted_again and revisions is not None:
            self._keep(made, revisions, stored)
        return [
            made[key] if found is None else found.answer for key, found in zip(self._keys, self._found, strict=True)
        ]

    def _keys_of(self, values: Sequence[object]) -> Sequence[Hashable]:
        if _TOLD_APART.issuperset(map(type, values)):
            return values
        return [self._key_of(position, value) for position, value in enumerate(values)]

    def _key_of(self, position: int, value: object) -> Hashable:
        if type(value) not in _TOLD_APART:
            self._rows[position] = self._asked.row(position)
            value = self._rows[position].shown
        return value if type(value) in _TOLD_APART else lasting_json_bytes(value)

    def _look_at_missing(self) -> None:
        if None not in self._found:
            return
        self._missing = [position for position, found in enumerate(self._found) if found is None]
        for position in self._missing:
            if position not in self._rows:
                self._rows[position] = self._asked.row(position)
        if self.plan.kept is not None and self._room:
            keys = (self._keys[position] for position in self._missing)
            self._wanted_again = self.plan.kept.asked_again(self._form.name, keys)

    def _wanted(self) -> dict[int, list[str]]:
        rows = [self._rows[position] for position in self._missing]
        return {group.group_id: [row.keys[group.entity] for row in rows] for group in self.plan.groups}

    def _made(self, stored: Rows) -> dict[Hashable, Answer]:
        made: dict[Hashable, Answer] = {}
        for position in self._missing:
            key = self._keys[position]
            if key not in made:
                values = answer_from(stored, plan=self.plan, entity=self._rows[position], at_us=self._at_us)
                made[key] = self._form.made(self.plan, values)
        return made

    def _keep(self, made: Mapping[Hashable, Answer], revisions: Revisions, stored: Rows) -> None:
        """Keep those answers that are wanted again; they were made of rows of these revisions."""
        kept: dict[Hashable, KeptAnswer] = {}
        for position in self._missing:
            key = self._keys[position]
            if key in self._wanted_again and key not in kept:
                answer, row = made[key], self._rows[position]
                span = span_of(stored, plan=self.plan, entity=row, at_us=self._at_us)
                kept[key] = KeptAnswer.of(answer, size=self._form.size(answer), span=span)
        if self.plan.kept is not None:
            self.plan.kept.keep(self._form.name, revisions, kept, limit=self._room)


def _vector(plan: OnlinePlan, entity: EntityAnswer) -> bytes:
    return lasting_json_bytes(entity_vector(plan, entity, include_metadata=False))


def _vector_with_metadata(plan: OnlinePlan, entity: EntityAnswer) -> bytes:
    return lasting_json_bytes(entity_vector(plan, entity, include_metadata=True))


def _unchanged(plan: OnlinePlan, entity: EntityAnswer) -> EntityAnswer:  # noqa: ARG001  # as the other forms
    return entity


def _size(entity: EntityAnswer) -> int:
    return memory_of(entity.values) + sum(map(memory_of, entity.rows)) + memory_of([*entity.entity.keys.values()])


VECTORS = Form("vectors", _vector, len)
VECTORS_WITH_METADATA = Form("vectors with metadata", _vector_with_metadata, len)
VALUES = Form("values", _unchanged, _size)

"""Which loads the online benchmark puts on whom, and how long that takes: what says nothing is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.history_data import Shape
from benchmarks.online_draws import EVEN, SKEWED
from benchmarks.online_questions import Question, questions
from benchmarks.online_servers import CONSTANT, FEAST, OWN, OWN_NOTHING_KEPT, TITLES

_WITH_ALL_WORKERS = (CONSTANT, OWN, OWN_NOTHING_KEPT, FEAST)
_FEAST_ROWS_A_SECOND = 3_500
_OWN_ROWS_A_SECOND = 12_000
_START_SECONDS = 8.0
# Warm-up, and the load generator's own start.
_BETWEEN_SECONDS = 1.7


@dataclass(frozen=True)
class Asking:
    """Questions in an order of entities, for one contestant."""

    order: str
    questions: tuple[Question, ...]


def workers_of(name: str, workers: Sequence[int]) -> list[int]:
    """With how many workers a contestant is measured: variants of this store only with the most."""
    return list(workers) if name in _WITH_ALL_WORKERS else [max(workers)]


def askings_of(name: str, workers: int, *, of: Sequence[int]) -> list[Asking]:
    """What a contestant is asked with so many workers.

    A constant answer knows no entity, and only one question has an aim beside it. Where nothing is kept, and for the
    variants, the order hardly matters, so it is looked at once or not at all.
    """
    every = tuple(questions())
    if name == CONSTANT:
        return [Asking(EVEN, every[:1])]
    both = name in (OWN, FEAST) or (name == OWN_NOTHING_KEPT and workers == max(of))
    return [Asking(order, every) for order in ((EVEN, SKEWED) if both else (EVEN,))]


def seconds_of(question: Question, seconds: float) -> float:
    """How long one load lasts: a slow answer needs longer until there are enough of them."""
    return seconds * (2 if question.entities > 1 else 1)


def expected_minutes(
    names: Sequence[str], *, shape: Shape, workers: Sequence[int], connections: Sequence[int], seconds: float
) -> float:
    """How long a run takes, roughly; stores that are kept from an earlier one are not taken off."""
    spent = 0.0
    rows = shape.entities * shape.groups
    known = [name for name in names if name in TITLES]
    stores = {name for name in known if name not in (CONSTANT, OWN_NOTHING_KEPT, FEAST)}
    spent += len(stores) * rows / _OWN_ROWS_A_SECOND + (FEAST in known) * rows / _FEAST_ROWS_A_SECOND
    for name in known:
        for count in workers_of(name, workers):
            for asking in askings_of(name, count, of=workers):
                loads = sum(seconds_of(question, seconds) + _BETWEEN_SECONDS for question in asking.questions)
                spent += _START_SECONDS + len(connections) * loads
    return spent / 60

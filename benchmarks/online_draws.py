"""Which entities are asked for, and in which order: drawn once, the same for every server.

``even``: every entity once, shuffled, before the first comes again, so that no server gains by what it has kept of
earlier answers until all of them were asked for. ``skewed``: the r-th most wanted entity is wanted as often as
``1 / r ** 0.99`` says (Zipf's law with the constant of the Yahoo! Cloud Serving Benchmark: Cooper et al., SoCC 2010),
as in traffic where some customers come all day and most hardly ever.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.history_data import Shape

EVEN, SKEWED = "even", "skewed"
# In the order of the tables.
ORDERS = {EVEN: "every entity once, shuffled", SKEWED: "some entities again and again, by Zipf's law"}
_EXPONENT = 0.99
# Batches ask for all entities within seconds, so they go on with other batches of the same entities.
_ROUNDS_OF_BATCHES = 10


@cache
def drawn(shape: Shape, order: str, entities: int) -> NDArray[np.int64]:
    """Entity ids, a row per request, so many different ones in each; as many requests as ask for all entities once
    (in batches: ten times).
    """
    random = np.random.default_rng(shape.seed)
    rounds = 1 if entities == 1 else _ROUNDS_OF_BATCHES
    requests = shape.entities // entities
    if order == EVEN:
        once = [random.permutation(shape.entities)[: requests * entities] for _ in range(rounds)]
        return np.concatenate(once).reshape(-1, entities)
    # Those that are wanted most lie anywhere in the tables.
    ranked = random.permutation(shape.entities)
    return ranked[_ranks(random, shape.entities, count=requests * rounds, entities=entities)]


class AskedBefore:
    """Which entities one server has been asked for, and with that the most that it can answer from what it has kept."""

    def __init__(self, shape: Shape) -> None:
        self._known = np.zeros(shape.entities, dtype=bool)

    def ask(self, drawn: NDArray[np.int64], *, first: int, requests: int) -> float:
        """Note so many requests from the ``first`` on; the share of their entities that had been asked for earlier, by
        them or before.
        """
        asked = np.take(drawn, range(first, first + requests), axis=0, mode="wrap").ravel()
        different = np.unique(asked)
        new = int(np.count_nonzero(~self._known[different]))
        self._known[different] = True
        return 1 - new / len(asked) if len(asked) else 0.0


def _ranks(random: np.random.Generator, of: int, *, count: int, entities: int) -> NDArray[np.int64]:
    """Per request so many different ranks, one after the other by their weights; one that comes again is drawn anew."""
    reached = np.cumsum(np.arange(1, of + 1, dtype=np.float64) ** -_EXPONENT)
    draws = 1 if entities == 1 else 3 * entities
    found = np.searchsorted(reached, random.random((count, draws)) * reached[-1])
    if entities == 1:
        return found
    chosen = []
    for row in found:
        while len(first := np.unique(row, return_index=True)[1]) < entities:
            row = np.concatenate([row, np.searchsorted(reached, random.random(draws) * reached[-1])])
        chosen.append(row[np.sort(first)[:entities]])
    return np.stack(chosen)

"""Which known words are spelled like another one: trigrams find them, the edit distance decides (pure)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_CANDIDATES = 60
SHORTEST = 3


def trigrams(word: str) -> set[str]:
    """The three-letter parts of a word with its ends marked: ``ab`` has `` a``, ``ab`` and ``b ``."""
    padded = f" {word} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


class Spelling:
    """The words of a vocabulary by their trigrams."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        by_part: dict[str, list[int]] = {}
        self._sizes = np.zeros(len(words), np.int32)
        for at, word in enumerate(words):
            parts = trigrams(word)
            self._sizes[at] = len(parts)
            for part in parts:
                by_part.setdefault(part, []).append(at)
        self._by_part: dict[str, npt.NDArray[np.int32]] = {part: np.array(at, np.int32) for part, at in by_part.items()}

    def near(self, word: str, *, looseness: int = 0) -> list[tuple[int, float]]:
        """Places of the words like ``word`` with their likeness (below 1), nearest first; never ``word`` itself.

        One slip is forgiven in three to five letters, two up to nine, three beyond; ``looseness`` forgives more.
        """
        if len(word) < SHORTEST:
            return []
        parts = trigrams(word)
        known = [self._by_part[part] for part in parts if part in self._by_part]
        if not known:
            return []
        shared = np.bincount(np.concatenate(known), minlength=len(self.words))
        likeness = shared / (self._sizes + len(parts) - shared)
        likely = np.flatnonzero(likeness > 0.12)
        best = likely[np.argsort(-likeness[likely], kind="stable")[:_CANDIDATES]]
        allowed = slips_forgiven(word) + looseness
        found = []
        for at in best.tolist():
            other = self.words[at]
            if other == word or abs(len(other) - len(word)) > allowed:
                continue
            distance = edit_distance(word, other, most=allowed)
            if distance <= allowed:
                found.append((at, 1 - distance / max(len(word), len(other))))
        return sorted(found, key=lambda pair: (-pair[1], self.words[pair[0]]))


def slips_forgiven(word: str) -> int:
    """How many slips a word of this length may have."""
    return 1 if len(word) <= 5 else 2 if len(word) <= 9 else 3


def edit_distance(one: str, other: str, *, most: int) -> int:
    """Letters to insert, remove, replace or swap with their neighbour (optimal string alignment); ``most + 1`` if more.

    Boytsov, "Indexing methods for approximate dictionary searching", 2011, section 2.2.
    """
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, their in enumerate(other, start=1):
            cost = min(
                previous[column] + 1, current[column - 1] + 1, previous[column - 1] + (0 if letter == their else 1)
            )
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == their:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before, previous = previous, current
    return min(previous[-1], most + 1)

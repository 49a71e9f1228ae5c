"""Columns over the rows of a segment: words and where they stand, one value a row, several values a row (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


class Postings:
    """The rows that have a word, for each of a sorted list of words; words that begin alike lie side by side."""

    def __init__(self, codes: Rows, rows: Rows, *, count: int) -> None:
        order = np.argsort(codes, kind="stable")
        self._rows = rows[order]
        self._starts = np.searchsorted(codes[order], np.arange(count + 1))

    def of(self, first: int, end: int) -> Rows:
        """The rows of the words from ``first`` up to but not including ``end``."""
        return self._rows[self._starts[first] : self._starts[end]]


class Coded:
    """One text a row, kept once each."""

    def __init__(self, values: Sequence[str]) -> None:
        self.names = sorted(set(values))
        self._code_of = {name: code for code, name in enumerate(self.names)}
        self.codes = np.fromiter((self._code_of[value] for value in values), np.int32, len(values))

    def any_of(self, wanted: Iterable[str]) -> Mask:
        """The rows whose text is one of ``wanted``."""
        known = [self._code_of[name] for name in wanted if name in self._code_of]
        mask: Mask = np.isin(self.codes, known) if len(known) > 1 else self.codes == (known[0] if known else -1)
        return mask

    def counted(self, kept: Mask) -> dict[str, int]:
        """How many of the rows ``kept`` have each text; the empty text is none."""
        counts = np.bincount(self.codes[kept], minlength=len(self.names))
        return {self.names[code]: int(counts[code]) for code in np.flatnonzero(counts) if self.names[code]}


class Labels:
    """Any number of texts a row."""

    def __init__(self, values: Sequence[Sequence[str]]) -> None:
        self.names = sorted({name for names in values for name in names})
        self._code_of = {name: code for code, name in enumerate(self.names)}
        self._size = len(values)
        pairs = [(row, self._code_of[name]) for row, names in enumerate(values) for name in names]
        self._rows = np.fromiter((row for row, _ in pairs), np.int32, len(pairs))
        self._codes = np.fromiter((code for _, code in pairs), np.int32, len(pairs))

    def having(self, name: str) -> Mask:
        """The rows that have the text ``name``."""
        mask = np.zeros(self._size, np.bool_)
        mask[self._rows[self._codes == self._code_of.get(name, -1)]] = True
        return mask

    def counted(self, kept: Mask) -> dict[str, int]:
        """How many of the rows ``kept`` have each text."""
        counts = np.bincount(self._codes[kept[self._rows]], minlength=len(self.names))
        return {self.names[code]: int(counts[code]) for code in np.flatnonzero(counts)}


class Vocabulary:
    """The different words of a segment, sorted."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(words)
        self.codes = {word: code for code, word in enumerate(self.words)}
        self._joined = "\n".join(self.words)
        lengths = np.fromiter((len(word) + 1 for word in self.words), np.int64, len(self.words))
        self._offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))

    def beginning_with(self, start: str) -> tuple[int, int]:
        """The first of the words that begin with ``start``, and the one after the last."""
        first = bisect_left(self.words, start)
        return first, bisect_left(self.words, start + "\U0010ffff", lo=first)

    def containing(self, part: str, *, most: int = 2_000) -> list[int]:
        """The words that have ``part`` somewhere after their beginning."""
        found: list[int] = []
        at = self._joined.find(part)
        while at >= 0 and len(found) < most:
            code = int(np.searchsorted(self._offsets, at, side="right")) - 1
            if at > self._offsets[code]:
                found.append(code)
            at = self._joined.find(part, int(self._offsets[code + 1]))
        return found

"""An unchanging index over some features: what is found by which word, and by which value (pure)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from catalog.search.columns import Coded, Labels, Mask, Numbers, Postings, Rows, Vocabulary
from catalog.search.rows import FeatureRow
from catalog.search.spelling import Spelling
from catalog.search.words import split_words


class Where(IntEnum):
    """Where a word stands: what is found in an earlier one counts for more."""

    NAME = 0
    TAG = 1
    TEXT = 2  # description, group, entity, source column


class Segment:
    """``rows`` in the order of their ids, column by column."""

    def __init__(self, rows: Sequence[FeatureRow]) -> None:
        self.size = len(rows)
        self.ids: npt.NDArray[np.int64] = np.fromiter((row.pk for row in rows), np.int64, self.size)
        self.names = [row.name for row in rows]
        by_name = sorted(range(self.size), key=lambda at: (self.names[at], rows[at].pk))
        self._by_name = np.array(by_name, np.int32)
        self.sorted_names = [self.names[at] for at in by_name]
        self.name_rank = np.empty(self.size, np.int64)
        # Odd, so that names of another segment fit in between.
        self.name_rank[self._by_name] = np.arange(self.size, dtype=np.int64) * 2 + 1
        self.coded = {
            "group": Coded([row.group for row in rows]),
            "entity": Coded([row.entity for row in rows]),
            "data_type": Coded([row.data_type or "" for row in rows]),
            "owner": Coded([row.owner for row in rows]),
            "status": Coded([row.status for row in rows]),
            "tier": Coded([row.tier for row in rows]),
            "sensitivity": Coded([row.sensitivity for row in rows]),
        }
        self.tags = Labels([row.tags for row in rows])
        self.numbers: dict[str, Numbers] = {
            "newest_event": _instants([row.newest_event for row in rows]),
            "created_at": _instants([row.created_at for row in rows]),
            "updated_at": _instants([row.updated_at for row in rows]),
            "completeness": np.array([np.nan if row.completeness is None else row.completeness for row in rows], float),
        }
        self.has_version: Mask = np.fromiter((row.version_id is not None for row in rows), np.bool_, self.size)
        self.name_length = np.zeros(self.size, np.int16)
        self._read_words(rows)

    def _read_words(self, rows: Sequence[FeatureRow]) -> None:
        codes: dict[str, int] = {}
        flat = {where: array("i") for where in Where}
        lengths = {where: np.zeros(self.size, np.int32) for where in Where}
        known: dict[str, tuple[int, ...]] = {}

        def coded(words: Iterable[str]) -> tuple[int, ...]:
            return tuple(codes.setdefault(word, len(codes)) for word in words)

        def shared(text: str) -> tuple[int, ...]:
            found = known.get(text)
            if found is None:
                found = known[text] = coded(set(split_words(text)))
            return found

        for at, row in enumerate(rows):
            in_name = coded({word for word in row.name.split("_") if word})
            self.name_length[at] = len(in_name)
            tags = [code for tag in row.tags for code in shared(tag)]
            own = coded(set(split_words(row.description)) | set(split_words(row.source_column or "")))
            texts = (*own, *shared(row.group), *shared(row.group_text), *shared(row.entity))
            for where, found in ((Where.NAME, in_name), (Where.TAG, tags), (Where.TEXT, texts)):
                flat[where].extend(found)
                lengths[where][at] = len(found)
        self.vocabulary = Vocabulary(codes)
        place = np.empty(len(codes), np.int32)
        for word, code in codes.items():
            place[code] = self.vocabulary.codes[word]
        self.postings: dict[Where, Postings] = {}
        for where in Where:
            standing = np.repeat(np.arange(self.size, dtype=np.int32), lengths[where])
            found_there = place[np.frombuffer(flat[where], np.int32)] if flat[where] else np.empty(0, np.int32)
            self.postings[where] = Postings(found_there, standing, count=len(self.vocabulary.words))

    @cached_property
    def spelling(self) -> Spelling:
        """The vocabulary by its trigrams; made when a word is unknown for the first time."""
        return Spelling(self.vocabulary.words)

    def rows_of(self, word_codes: Sequence[tuple[int, int]], where: Where) -> Rows:
        """The rows with any word of these ranges of the vocabulary."""
        parts = [self.postings[where].of(first, end) for first, end in word_codes]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    def named(self, name: str, *, is_start: bool = False) -> Rows:
        """The rows whose name is ``name``, or begins with it."""
        first = bisect_left(self.sorted_names, name)
        last = name + ("\U0010ffff" if is_start else "\0")
        return self._by_name[first : bisect_left(self.sorted_names, last, lo=first)]

    def places_of(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """The rows of those ``ids`` that are here."""
        at = np.searchsorted(self.ids, ids)
        at[at == self.size] = 0
        return at[self.ids[at] == ids] if self.size else at[:0]


def _instants(values: Sequence[datetime | None]) -> Numbers:
    return np.array([np.nan if value is None else value.timestamp() for value in values], float)

"""Finding features: by words and restrictions, ranked, with the facets of what is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from catalog.access import Reader
from catalog.clock import now
from catalog.models import Feature
from catalog.search.columns import Mask
from catalog.search.criteria import Criteria, Restriction
from catalog.search.index import Index, indexer
from catalog.search.matching import readings_of
from catalog.search.ranking import TextHits, find_text, ordered_ids, ranked_ids
from catalog.search.words import words_of

FACETS = ("group", "entity", "data_type", "tag", "owner", "status", "tier", "sensitivity")


@dataclass(frozen=True)
class Relaxation:
    """How many features there would be without one restriction, or (None) without the words."""

    restriction: Restriction | None
    count: int


class FoundFeatures(Sequence[Feature]):
    """The ids of what is found, best first; slices are features with their details, in two queries."""

    def __init__(self, *, user: Reader, criteria: Criteria, index: Index, at: datetime) -> None:
        self.criteria = criteria
        self._user = user
        self.state = index
        self._at = at
        segments = index.segments
        self._visible = index.visible_to(user)
        if criteria.needs_version:
            self._visible = [seen & segment.has_version for seen, segment in zip(self._visible, segments, strict=True)]
        self.hits: TextHits = find_text(criteria.text, segments, self._visible)
        self._masks = [[one.mask(segment, at) for segment in segments] for one in criteria.restrictions]
        self._kept = self._rows_without(None)

    @cached_property
    def ids(self) -> npt.NDArray[np.int64]:
        """The ids of all that is found, in order."""
        segments, popularity = self.state.segments, indexer.popularity()
        if self.criteria.ordering:
            return ordered_ids(self.criteria.ordering, self._kept, segments, popularity=popularity)
        return ranked_ids(self.hits, self._kept, segments, popularity=popularity, at=self._at)

    @cached_property
    def count_of_visible(self) -> int:
        """How many features there are for this reader, found or not."""
        return sum(int(seen.sum()) for seen in self._visible)

    def numbers(self, column: str) -> npt.NDArray[np.float64]:
        """A number or an instant (in seconds) of all that is found, in no order; NaN where there is none."""
        segments = self.state.segments
        return np.concatenate([one.numbers[column][kept] for one, kept in zip(segments, self._kept, strict=True)])

    def __len__(self) -> int:
        return sum(int(kept.sum()) for kept in self._kept)

    @overload
    def __getitem__(self, which: int) -> Feature: ...
    @overload
    def __getitem__(self, which: slice) -> Sequence[Feature]: ...
    def __getitem__(self, which: int | slice) -> Feature | Sequence[Feature]:
        if isinstance(which, slice):
            return self._loaded(self.ids[which].tolist())
        return self._loaded([int(self.ids[which])])[0]

    def __iter__(self) -> Iterator[Feature]:
        yield from self[:]

    def _loaded(self, ids: list[int]) -> list[Feature]:
        # Asked for by permission once more: the index finds, the database tells.
        visible = Feature.objects.visible_to(self._user).with_details()
        features = {feature.pk: feature for feature in visible.filter(pk__in=ids)}
        return [features[pk] for pk in ids if pk in features]

    def facet_counts(self, parameter: str) -> Counter[str]:
        """Of each value of the facet how many features there would be, were it the only one chosen of its facet.

        Of tags, all chosen ones must fit, so here they stay in force.
        """
        kept = self._kept if parameter == "tag" else self._rows_without(parameter)
        counts: Counter[str] = Counter()
        for segment, rows in zip(self.state.segments, kept, strict=True):
            column = segment.tags if parameter == "tag" else segment.coded[parameter]
            counts.update(column.counted(rows))
        return counts

    def relaxations(self) -> list[Relaxation]:
        """What there would be with one restriction less, or without the words; the most first, none that help not."""
        loosened = []
        for at, restriction in enumerate(self.criteria.restrictions):
            rows = self._combined(self.hits.rows, [mask for place, mask in enumerate(self._masks) if place != at])
            loosened.append(Relaxation(restriction, _count(rows)))
        if self.hits.words and self._masks:
            loosened.append(Relaxation(None, _count(self._combined(self._visible, self._masks))))
        return sorted((one for one in loosened if one.count), key=lambda one: -one.count)

    def did_you_mean(self, *, count: int = 3) -> tuple[str, ...]:
        """Searches spelled alike: misspelt words put right, or where nothing is found words looked for wider."""
        words = words_of(self.criteria.text)
        corrected = self.hits.corrected
        if corrected:
            return (" ".join(corrected.get(word, word) for word in words),)
        if len(self) or self.criteria.restrictions or not words:
            return ()
        segments = self.state.segments
        near = [readings_of(word, segments, self._visible, looseness=1)[:count] for word in words]
        longest = max((len(found) for found in near), default=0)
        phrases = [" ".join(found[min(at, len(found) - 1)][0] for found in near if found) for at in range(longest)]
        return tuple(dict.fromkeys(phrase for phrase in phrases if phrase))[:count]

    def _rows_without(self, parameter: str | None) -> list[Mask]:
        """The rows that fit all restrictions, or all but those of one parameter."""
        fitting = [
            mask
            for restriction, mask in zip(self.criteria.restrictions, self._masks, strict=True)
            if parameter is None or restriction.parameter != parameter
        ]
        return self._combined(self.hits.rows, fitting)

    def _combined(self, rows: Sequence[Mask], masks: Sequence[Sequence[Mask]]) -> list[Mask]:
        return [np.logical_and.reduce([start, *(mask[at] for mask in masks)]) for at, start in enumerate(rows)]


def _count(rows: Sequence[Mask]) -> int:
    return sum(int(kept.sum()) for kept in rows)


def find_features(*, user: Reader, criteria: Criteria, beside: FoundFeatures | None = None) -> FoundFeatures:
    """The features visible to ``user`` that fit ``criteria``; of the same moment as those found ``beside``."""
    index = indexer.current() if beside is None else beside.state
    return FoundFeatures(user=user, criteria=criteria, index=index, at=now())

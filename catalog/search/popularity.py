"""How much features are read, as the app that records reads tells it; the catalog imports no app above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.contributions import load_contributions


@dataclass(frozen=True)
class ReadCount:
    """Reads of one feature: of the last 30 days, of the last 7, and of the 7 before."""

    total: int
    week: int = 0
    week_before: int = 0


Reads = Callable[[], Mapping[int, ReadCount]]

_sources: list[Reads] = []


def register_reads(source: Reads) -> None:
    """Let ``source`` tell how often each feature (by id) was read."""
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True)
class Popularity:
    """Reads of the last 30 days, and how many more in the last week than in the one before, by feature id."""

    ids: npt.NDArray[np.int64]
    reads: npt.NDArray[np.int64]
    rise: npt.NDArray[np.int64]

    @classmethod
    def read(cls) -> Popularity:
        """As the sources tell it now, all of them together."""
        load_contributions()
        total: Counter[int] = Counter()
        rise: Counter[int] = Counter()
        for source in _sources:
            for pk, count in source().items():
                total[pk] += count.total
                rise[pk] += count.week - count.week_before
        ids = sorted(total)
        return cls(
            ids=np.array(ids, np.int64),
            reads=np.array([total[pk] for pk in ids], np.int64),
            rise=np.array([rise[pk] for pk in ids], np.int64),
        )

    def of(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The reads of each of ``ids``, 0 where there are none."""
        if not self.ids.size:
            return np.zeros(ids.size, np.int64)
        at = np.minimum(np.searchsorted(self.ids, ids), self.ids.size - 1)
        return np.where(self.ids[at] == ids, self.reads[at], 0)

    def of_each(self, ids: Sequence[int]) -> list[int]:
        """The same as a list."""
        counts: list[int] = self.of(np.array(ids, np.int64)).tolist()
        return counts

    def rising(self, most: int) -> list[int]:
        """The ids of what is read more than the week before, the greatest rise first."""
        order = np.argsort(-self.rise, kind="stable")[:most]
        ids: list[int] = self.ids[order[self.rise[order] > 0]].tolist()
        return ids

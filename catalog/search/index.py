"""The search index of this process: made once, then kept up with every change that is committed anywhere."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

import numpy as np

from catalog.access import Reader
from catalog.models import Feature, SearchChange
from catalog.search.columns import Mask
from catalog.search.popularity import Popularity
from catalog.search.rows import read_rows
from catalog.search.segment import Segment

# Above so many changed features a new index costs less than looking into two.
_MOST_CHANGED = 3_000
# A transaction that stays open longer than this after its change may be missed until the index is made anew.
_LATEST_COMMIT_SECONDS = 15 * 60
_MAKE_ANEW_SECONDS = 6 * 3600
_POPULARITY_SECONDS = 10 * 60
_MOST_READERS = 200

Seen = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Index:
    """``base``, without what changed since it was made, and ``recent``: that as it is now."""

    base: Segment
    recent: Segment
    outdated: Mask
    changed: frozenset[int]
    base_visible: dict[str, Mask] = field(default_factory=dict)
    recent_visible: dict[str, Mask] = field(default_factory=dict)

    @property
    def segments(self) -> tuple[Segment, ...]:
        return (self.base, self.recent) if self.recent.size else (self.base,)

    def visible_to(self, user: Reader) -> list[Mask]:
        """Of each segment the rows that ``user`` may know of: those that ``Feature.objects.visible_to`` gives.

        Readers whose query is the same see the same, so its answer is kept until what it reads has changed.
        """
        query = Feature.objects.visible_to(user).order_by()
        if query.query.is_empty():
            return [np.zeros(segment.size, np.bool_) for segment in self.segments]
        statement = str(query.query)
        if len(self.base_visible) + len(self.recent_visible) > _MOST_READERS:
            self.base_visible.clear()
            self.recent_visible.clear()
        base = self.base_visible.get(statement)
        if base is None:
            base = self.base_visible[statement] = _mask_of(query, self.base)
        masks = [base & ~self.outdated]
        if self.recent.size:
            recent = self.recent_visible.get(statement)
            if recent is None:
                among = query.filter(pk__in=self.recent.ids.tolist())
                recent = self.recent_visible[statement] = _mask_of(among, self.recent)
            masks.append(recent)
        return masks


def _mask_of(query: object, segment: Segment) -> Mask:
    mask: Mask = np.zeros(segment.size, np.bool_)
    ids = np.fromiter(query.values_list("pk", flat=True).iterator(20_000), np.int64)  # type: ignore[attr-defined]
    mask[segment.places_of(np.sort(ids))] = True
    return mask


class Indexer:
    """Keeps one index; a lock lets one thread at a time bring it up to date."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin anew with the next search."""
        self._index: Index | None = None
        self._seen: Seen = frozenset()
        self._floor = 0
        self._marks: list[tuple[float, int]] = []
        self._made_at = 0.0
        self._popularity: Popularity | None = None
        self._popularity_at = 0.0

    def current(self) -> Index:
        """The index as of now: with everything that was committed before the call. One query when nothing changed."""
        with self._lock:
            seen, told = self._told()
            index = self._index
            is_old = time.monotonic() - self._made_at > _MAKE_ANEW_SECONDS
            if index is None or is_old or not self._seen <= seen:
                index = self._made_anew()
            elif told:
                index = self._with_changes(index, told)
            self._index, self._seen = index, seen
            self._move_floor(seen)
            return index

    def _told(self) -> tuple[Seen, list[tuple[int | None, int | None]]]:
        """All that is told above the floor, and what of it this index has not taken over yet."""
        rows = list(
            SearchChange.objects.filter(pk__gt=self._floor).values_list("pk", "nonce", "feature_id", "group_id")
        )
        seen = frozenset((pk, nonce) for pk, nonce, _, _ in rows)
        return seen, [(feature, group) for pk, nonce, feature, group in rows if (pk, nonce) not in self._seen]

    def _made_anew(self) -> Index:
        base = Segment(read_rows(Feature.objects.all()))
        self._made_at = time.monotonic()
        return Index(base=base, recent=Segment([]), outdated=np.zeros(base.size, np.bool_), changed=frozenset())

    def _with_changes(self, index: Index, told: list[tuple[int | None, int | None]]) -> Index:
        if any(feature is None and group is None for feature, group in told):
            return self._made_anew()
        groups = {group for _, group in told if group is not None}
        changed = index.changed | {feature for feature, _ in told if feature is not None}
        if groups:
            changed |= set(Feature.objects.filter(group__in=groups).values_list("pk", flat=True))
        if len(changed) > max(_MOST_CHANGED, index.base.size // 20):
            return self._made_anew()
        recent = Segment(read_rows(Feature.objects.filter(pk__in=changed)))
        outdated = np.zeros(index.base.size, np.bool_)
        outdated[index.base.places_of(np.array(sorted(changed), np.int64))] = True
        return replace(index, recent=recent, outdated=outdated, changed=frozenset(changed), recent_visible={})

    def _move_floor(self, seen: Seen) -> None:
        """Changes of long ago need not be read again; those after may still be joined by a late commit."""
        at = time.monotonic()
        top = max((pk for pk, _ in seen), default=self._floor)
        if not self._marks or at - self._marks[-1][0] > 60:
            self._marks.append((at, top))
        while self._marks and at - self._marks[0][0] > _LATEST_COMMIT_SECONDS:
            self._floor = self._marks.pop(0)[1]
        self._seen = frozenset(pair for pair in seen if pair[0] > self._floor)

    def popularity(self) -> Popularity:
        """How often each feature was read of late; minutes old at most."""
        is_old = time.monotonic() - self._popularity_at > _POPULARITY_SECONDS
        if self._popularity is None or is_old:
            self._popularity, self._popularity_at = Popularity.read(), time.monotonic()
        return self._popularity


indexer = Indexer()

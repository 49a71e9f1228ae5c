"""Which rows a text finds, and the order in which they are told (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from catalog.search.columns import Mask
from catalog.search.matching import Found, WordMatch, match_word
from catalog.search.popularity import Popularity
from catalog.search.segment import Segment
from catalog.search.words import needed_words, words_of

Keys = npt.NDArray[np.int64]

_EXACT, _BEGINS, _IN_NAME, _IN_TAGS, _ELSEWHERE = range(5)
_TIERS = {"certified": 0, "standard": 1, "experimental": 2}


@dataclass(frozen=True)
class TextHits:
    """Of each segment the visible rows that the text finds, with how well; ``dropped`` are words that no hit has."""

    words: tuple[str, ...]
    matches: tuple[WordMatch, ...]
    rows: tuple[Mask, ...]
    fit: tuple[Keys, ...]
    dropped: tuple[str, ...] = ()

    @property
    def corrected(self) -> dict[str, str]:
        """The misspelt words, each with the known one that it was taken for."""
        return {match.word: match.read_as[0] for match in self.matches if match.read_as}


def find_text(text: str, segments: Sequence[Segment], visible: Sequence[Mask]) -> TextHits:
    """The visible rows that have as many of the words as any has; a row of exactly that name is always among them.

    Without words all rows; with signs only, none.
    """
    words = words_of(text)
    if not words:
        rows = tuple(seen & (not text.strip()) for seen in visible)
        return TextHits((), (), rows, tuple(np.zeros(segment.size, np.int64) for segment in segments))
    needed = needed_words(words)
    matches = tuple(match_word(word, segments, visible) for word in needed)
    found_rows: list[Mask] = []
    fits: list[Keys] = []
    most = 0
    counts = [np.sum([match.found[at].score > 0 for match in matches], axis=0) for at in range(len(segments))]
    for count, seen in zip(counts, visible, strict=True):
        most = max(most, int(count[seen].max(initial=0)))
    for at, (segment, seen) in enumerate(zip(segments, visible, strict=True)):
        exact = _named_exactly(words, segment)
        found_rows.append(seen & ((counts[at] == most) & (most > 0) | exact))
        fits.append(_fit(words, [match.found[at] for match in matches], segment, exact))
    dropped = tuple(
        match.word
        for match in matches
        if not any((found.score[kept] > 0).any() for found, kept in zip(match.found, found_rows, strict=True))
    )
    is_any = any(kept.any() for kept in found_rows)
    return TextHits(tuple(words), matches, tuple(found_rows), tuple(fits), dropped if is_any else ())


def _named_exactly(words: Sequence[str], segment: Segment) -> Mask:
    """The rows called so, by name alone or with their entity or group before it."""
    exact = np.zeros(segment.size, np.bool_)
    exact[segment.named("_".join(words))] = True
    for cut in range(1, len(words)):
        before, name = "_".join(words[:cut]), "_".join(words[cut:])
        rows = segment.named(name)
        if rows.size:
            of_it = segment.coded["entity"].any_of([before]) | segment.coded["group"].any_of([before])
            exact[rows[of_it[rows]]] = True
    return exact


def _fit(words: Sequence[str], found: Sequence[Found], segment: Segment, exact: Mask) -> Keys:
    """How well each row fits, less is better: where its words stand, what they are worth, how much of the name."""
    kind = np.full(segment.size, _ELSEWHERE, np.int64)
    matched = np.sum([one.score > 0 for one in found], axis=0)
    in_name = np.sum([one.in_name for one in found], axis=0)
    in_either = np.sum([one.in_name | one.in_tag for one in found], axis=0)
    kind[in_either == matched] = _IN_TAGS
    kind[in_name == matched] = _IN_NAME
    kind[segment.named("_".join(words), is_start=True)] = _BEGINS
    kind[exact] = _EXACT
    worth = np.sum([one.score for one in found], axis=0) / np.maximum(matched, 1)
    covered = in_name / np.maximum(segment.name_length, 1)
    return (kind << 9) | ((63 - np.rint(np.minimum(worth, 1) * 63).astype(np.int64)) << 3) | _levels(covered, 7)


def _levels(share: npt.NDArray[np.float64], most: int) -> Keys:
    return most - np.rint(np.clip(share, 0, 1) * most).astype(np.int64)


def ranked_ids(
    hits: TextHits, kept: Sequence[Mask], segments: Sequence[Segment], *, popularity: Popularity, at: datetime
) -> npt.NDArray[np.int64]:
    """The ids of the rows ``kept``, best first. Of equal fit: in use before deprecated, then tier, reads, freshness.

    Without words by name alone.
    """
    ranks = _name_ranks(segments)
    keys, ids = [], []
    for segment, rows, fit, rank in zip(segments, kept, hits.fit, ranks, strict=True):
        chosen = np.flatnonzero(rows)
        key = rank[chosen]
        if hits.words:
            key = (((fit[chosen] << 13) | _ties(segment, chosen, popularity, at)) << 24) | key
        keys.append(key)
        ids.append(segment.ids[chosen])
    order = np.argsort(np.concatenate(keys), kind="stable")
    return np.concatenate(ids)[order]


def _ties(segment: Segment, rows: npt.NDArray[np.intp], popularity: Popularity, at: datetime) -> Keys:
    """Thirteen bits: status, tier, reads, freshness."""
    status, tier = segment.coded["status"], segment.coded["tier"]
    is_past = np.array([name != "active" for name in status.names], np.int64)
    step = np.array([_TIERS.get(name, 1) for name in tier.names], np.int64)
    reads = np.minimum(np.log2(popularity.of(segment.ids[rows]) + 1).astype(np.int64), 31)
    hours = np.maximum(at.timestamp() - segment.numbers["newest_event"][rows], 0) / 3600
    age = np.minimum(np.log2(np.nan_to_num(hours, nan=2e9) + 1).astype(np.int64), 31)
    return (is_past[status.codes[rows]] << 12) | (step[tier.codes[rows]] << 10) | ((31 - reads) << 5) | age


def _name_ranks(segments: Sequence[Segment]) -> list[Keys]:
    """Where each row stands among all by name; those of the second segment lie between those of the first."""
    base = segments[0]
    ranks = [base.name_rank]
    for segment in segments[1:]:
        place = np.empty(segment.size, np.int64)
        for row, name in enumerate(segment.names):
            place[row] = 2 * _bisected(base.sorted_names, name)
        ranks.append(place)
    return ranks


def _bisected(names: Sequence[str], name: str) -> int:
    low, high = 0, len(names)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if names[middle] < name else (low, middle)
    return low


def ordered_ids(
    ordering: Sequence[str], kept: Sequence[Mask], segments: Sequence[Segment], *, popularity: Popularity
) -> npt.NDArray[np.int64]:
    """The ids of the rows ``kept`` by these fields (``-``: the greatest first), what is unknown last; then by name."""
    chosen = [np.flatnonzero(rows) for rows in kept]
    ids = np.concatenate([segment.ids[rows] for segment, rows in zip(segments, chosen, strict=True)])
    ranks = np.concatenate([rank[rows] for rank, rows in zip(_name_ranks(segments), chosen, strict=True)])
    keys: list[npt.NDArray[np.float64] | Keys] = [ranks]
    for field in reversed(ordering):
        name, sign = field.removeprefix("-"), -1.0 if field.startswith("-") else 1.0
        keys.append(sign * _values(name, chosen, segments, ids, ranks, popularity))
    order = np.lexsort(keys)
    return ids[order]


def _values(
    name: str,
    chosen: Sequence[npt.NDArray[np.intp]],
    segments: Sequence[Segment],
    ids: npt.NDArray[np.int64],
    ranks: Keys,
    popularity: Popularity,
) -> npt.NDArray[np.float64]:
    if name == "name":
        return ranks.astype(float)
    if name == "reads":
        return popularity.of(ids).astype(float)
    pairs = list(zip(segments, chosen, strict=True))
    if name in segments[0].numbers:
        return np.concatenate([segment.numbers[name][rows] for segment, rows in pairs])
    every = sorted({text for segment in segments for text in segment.coded[name].names})
    place = {text: at for at, text in enumerate(every)}
    parts = []
    for segment, rows in pairs:
        coded = segment.coded[name]
        places = np.array([place[text] for text in coded.names], float)
        parts.append(places[coded.codes[rows]] if rows.size else np.empty(0))
    return np.concatenate(parts)

"""Which rows a word finds, and how well (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.search.columns import Mask
from catalog.search.segment import Segment, Where

Scores = npt.NDArray[np.float32]
Ranges = list[tuple[int, int]]

# What a word is worth where it stands, by how: as a part of the word there, as its beginning, as the word itself.
_PART, _START, _WORD = 0, 1, 2
_WORTH = {Where.TEXT: (0.12, 0.2, 0.3), Where.TAG: (0.4, 0.5, 0.6), Where.NAME: (0.7, 0.85, 1.0)}
_MISSPELT = {Where.TEXT: 0.15, Where.TAG: 0.45, Where.NAME: 0.75}
_HARDLY_FURTHER = 0.1
_MOST_READINGS = 6


@dataclass(frozen=True)
class Found:
    """Of one segment: the worth of a word for each row, and where it stands."""

    score: Scores
    in_name: Mask
    in_tag: Mask


@dataclass(frozen=True)
class WordMatch:
    """``read_as``: the known words that a misspelt one was taken for, the likeliest first."""

    word: str
    found: tuple[Found, ...]
    read_as: tuple[str, ...] = ()


def match_word(word: str, segments: Sequence[Segment], visible: Sequence[Mask]) -> WordMatch:
    """What ``word`` finds; only if nothing ``visible`` has it so, what is spelled like it."""
    every = [_written(word, segment) for segment in segments]
    if any(_has_any(ranges, segment, seen) for ranges, segment, seen in zip(every, segments, visible, strict=True)):
        found = [_filled(ranges, segment) for ranges, segment in zip(every, segments, strict=True)]
        return WordMatch(word=word, found=tuple(found))
    readings = readings_of(word, segments, visible)
    if readings:
        best = readings[0][1]
        readings = [one for one in readings if one[1] >= best - _HARDLY_FURTHER][:_MOST_READINGS]
    found = [_filled_misspelt(readings, segment) for segment in segments]
    return WordMatch(word=word, found=tuple(found), read_as=tuple(text for text, _ in readings))


def readings_of(
    word: str, segments: Sequence[Segment], visible: Sequence[Mask], *, looseness: int = 0
) -> list[tuple[str, float]]:
    """The words of visible features that are spelled like ``word``, with their likeness, likeliest first."""
    best: dict[str, float] = {}
    for segment, seen in zip(segments, visible, strict=True):
        for code, likeness in segment.spelling.near(word, looseness=looseness):
            if any(seen[segment.rows_of([(code, code + 1)], where)].any() for where in Where):
                best[segment.vocabulary.words[code]] = likeness
    return sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))


def _written(word: str, segment: Segment) -> tuple[Ranges, Ranges, Ranges]:
    """The words of the vocabulary that ``word`` is a part of, the beginning of, and that it is."""
    code = segment.vocabulary.codes.get(word)
    parts = segment.vocabulary.containing(word) if len(word) > 2 else []
    first, end = segment.vocabulary.beginning_with(word)
    return (
        [(one, one + 1) for one in parts],
        [(first, end)] if end > first else [],
        [] if code is None else [(code, code + 1)],
    )


def _has_any(ranges: tuple[Ranges, Ranges, Ranges], segment: Segment, seen: Mask) -> bool:
    return any(seen[segment.rows_of(some, where)].any() for some in (ranges[_START], ranges[_PART]) for where in Where)


def _empty(segment: Segment) -> Found:
    size = segment.size
    return Found(np.zeros(size, np.float32), np.zeros(size, np.bool_), np.zeros(size, np.bool_))


def _filled(ranges: tuple[Ranges, Ranges, Ranges], segment: Segment) -> Found:
    found = _empty(segment)
    # From the least worth to the greatest, so that the greatest stays.
    for where in (Where.TEXT, Where.TAG, Where.NAME):
        for how in (_PART, _START, _WORD):
            rows = segment.rows_of(ranges[how], where)
            found.score[rows] = _WORTH[where][how]
            _mark(found, rows, where)
    return found


def _filled_misspelt(readings: Sequence[tuple[str, float]], segment: Segment) -> Found:
    found = _empty(segment)
    for where in (Where.TEXT, Where.TAG, Where.NAME):
        for text, likeness in reversed(readings):
            code = segment.vocabulary.codes.get(text)
            if code is not None:
                rows = segment.rows_of([(code, code + 1)], where)
                found.score[rows] = np.maximum(found.score[rows], _MISSPELT[where] * likeness)
                _mark(found, rows, where)
    return found


def _mark(found: Found, rows: npt.NDArray[np.int32], where: Where) -> None:
    if where is Where.NAME:
        found.in_name[rows] = True
    elif where is Where.TAG:
        found.in_tag[rows] = True

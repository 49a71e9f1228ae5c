"""The part of a text that a search has found, marked (pure but for the escaping)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from catalog.search.ranking import TextHits

_BEFORE = 60


def marked_words(hits: TextHits) -> re.Pattern[str] | None:
    """What is marked for these hits: the words as they were typed, or what they were taken for."""
    texts: Iterable[str] = (text for match in hits.matches for text in (match.read_as or (match.word,)))
    longest_first = sorted(set(texts), key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if longest_first else None


def marked(text: str, words: re.Pattern[str] | None, *, within: int = 0) -> SafeString:
    """``text`` with the words in ``<mark>``; with ``within`` so many characters of it, from near the first mark."""
    if within and len(text) > within:
        text = _cut(text, words, within)
    if words is None:
        return SafeString(escape(text))
    parts, at = [], 0
    for found in words.finditer(text):
        parts += [escape(text[at : found.start()]), mark_safe("<mark>"), escape(found[0]), mark_safe("</mark>")]
        at = found.end()
    return SafeString("".join([*parts, escape(text[at:])]))


def _cut(text: str, words: re.Pattern[str] | None, within: int) -> str:
    first = None if words is None else words.search(text)
    start = 0
    if first is not None and first.end() > within - 1:
        start = text.rfind(" ", 0, max(first.start() - _BEFORE, 0)) + 1
    shown = text[start : start + within - 2].rstrip()
    return ("…" if start else "") + shown + ("…" if start + within - 2 < len(text) else "")

"""The words of names, texts and searches (pure: no Django)."""

from __future__ import annotations

import re

MAX_WORDS = 12

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_VERSION_TAIL = re.compile(r"(_v\d{1,9}|@v?\d{1,9}(\.\d{1,9})?)\Z")

# Words that texts are full of: where there are others, a hit need not have them.
FILLERS = frozenset(
    ("a", "an", "and", "as", "at", "by", "for", "from", "how", "in", "is", "of", "on", "or", "per", "that", "the", "to")
    + ("what", "where", "which", "with")
)


def split_words(text: str) -> list[str]:
    """The words of ``text`` in lower case: underscore, dash, other signs and a change to capitals separate them."""
    words = []
    for word in _WORD.findall(text):
        if word.islower() or word[1:].islower():
            words.append(word.lower())
        else:
            words += _CAMEL.sub(" ", word).lower().split()
    return words


def words_of(q: str) -> list[str]:
    """The words of a search, each once; the version at the end of a reference or a feature id is no word."""
    return list(dict.fromkeys(split_words(_VERSION_TAIL.sub("", q.strip()))))[:MAX_WORDS]


def needed_words(words: list[str]) -> list[str]:
    """Those that a hit should have: without fillers, where there is more than fillers."""
    return [word for word in words if word not in FILLERS] or words

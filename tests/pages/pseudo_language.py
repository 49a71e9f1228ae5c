"""A language whose every message is the English one in brackets, to see what of a page was never translated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import trans_real

CODE = "qq"
OPEN, CLOSE = "⟦", "⟧"
_VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_NOT_TEXT = frozenset({"code", "kbd", "pre", "script", "style"})
_SPOKEN = frozenset({"title", "alt", "aria-label", "placeholder"})
_WORD = re.compile(r"[^\W\d_][\w.’'-]*")


class _Bracketing:
    """What Django asks of a loaded language."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message.rpartition(chr(4))[2]}{CLOSE}"

    def ngettext(self, singular: str, plural: str, number: float) -> str:
        return self.gettext(singular if number == 1 else plural)

    def language(self) -> str:
        return CODE

    def to_language(self) -> str:
        return CODE


def speak(monkeypatch: pytest.MonkeyPatch, settings: Any, folder: Path) -> None:
    """Offer the language to browsers that ask for it; ``folder`` is for its translation, which holds nothing."""
    compiled = folder / CODE / "LC_MESSAGES" / "django.mo"
    compiled.parent.mkdir(parents=True)
    compiled.touch()
    settings.LOCALE_PATHS = [folder]
    settings.LANGUAGES = [("en", "English"), (CODE, "Brackets")]
    monkeypatch.setitem(trans_real._translations, CODE, _Bracketing())


class _Texts(HTMLParser):
    """The texts of a page that stand outside all brackets, with the element that they stand in: ``found``.

    A message may hold elements of its own, so the brackets are counted from text to text; what is cut short loses its
    closing bracket, so the count is that of its element again once it ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._open: list[tuple[str, int]] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _SPOKEN and value and self._depth == 0:
                self.found.append((f"{tag}[{name}]", _outside(value, 0)[0]))
        if tag not in _VOID:
            self._open.append((tag, self._depth))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, depth = self._open.pop()
            self._depth = depth
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        outside, self._depth = _outside(data, self._depth)
        tags = [tag for tag, _depth in self._open]
        if not _NOT_TEXT.intersection(tags):
            self.found.append((tags[-1] if tags else "", outside))


def _outside(text: str, depth: int) -> tuple[str, int]:
    kept = []
    for sign in text:
        if sign == OPEN:
            depth += 1
        elif sign == CLOSE:
            depth = max(depth - 1, 0)
        elif depth == 0:
            kept.append(sign)
    return "".join(kept), depth


def untranslated(html: str, *, data: frozenset[str], shapes: re.Pattern[str]) -> Iterator[str]:
    """What a page says outside all brackets and that is no ``data`` (whole texts, longest first) and of no shape."""
    page = _Texts()
    page.feed(html)
    page.close()
    known = re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in sorted(data, key=len, reverse=True)))
    for place, text in page.found:
        rest = shapes.sub(" ", known.sub(" ", " ".join(text.split())))
        if _WORD.search(rest):
            yield f"{place}: {' '.join(text.split())[:200]}"

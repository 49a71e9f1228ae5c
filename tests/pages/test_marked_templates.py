"""Every text that a template holds is marked for translation: what is new and unmarked fails here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# What stays as it is in every language.
NAMES = {
    "Feature Store",  # the name of the product
    "· Feature Store",
    "OpenAPI",
    "curl",
    "UTC",
    "Enter",  # keys of a keyboard
    "Esc",
    "balance_mean",  # an example of a reference
}
# Documents for files, written by a command in the language of the API.
UNTRANSLATED = {"feature_documentation.html"}
SPOKEN_ATTRIBUTES = {"title", "alt", "aria-label", "placeholder"}
NOT_TEXT = {"code", "pre", "script", "style", "kbd"}
# Arguments of an included template that it shows.
SPOKEN_ARGUMENT = re.compile(r"\b(?:label2?|title|reason|action|noun|hint|caption|here)=(\"[^\"]*\"|'[^']*')")
SPOKEN_FALLBACK = re.compile(r"\|(?:default|default_if_none|yesno|pluralize):(\"[^\"]*\"|'[^']*')")

TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.S)
MARKED = re.compile(r"\{%\s*(blocktranslate|comment)\b.*?\{%\s*end\1\s*%\}", re.S)
VALUE = "\u2400"
LETTERS = re.compile(r"[^\W\d_]{2,}")

TEMPLATES = sorted(
    path for folder in ("templates", "catalog", "serving", "ingestion") for path in (PROJECT / folder).rglob("*.html")
)


class Spoken(HTMLParser):
    """The texts of a template outside its tags: ``found``."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_TEXT:
            self._inside.append(tag)
        self.found += [value for name, value in attrs if name in SPOKEN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.found.append(data)


def unmarked(source: str) -> Iterator[str]:
    """The human texts of a template that are not marked for translation."""
    bare = MARKED.sub(VALUE, source)
    for tag in TAG.findall(bare):
        if not tag.startswith("{#"):
            literals = SPOKEN_ARGUMENT.findall(tag)
            if not tag.startswith("{% with"):
                literals += SPOKEN_FALLBACK.findall(tag)
            bare_literals = (text.strip("\"'") for text in literals)
            yield from (text for text in bare_literals if LETTERS.search(text) and text not in NAMES)
    spoken = Spoken()
    spoken.feed(TAG.sub(VALUE, bare))
    spoken.close()
    for piece in (piece for found in spoken.found for piece in found.split(VALUE)):
        text = " ".join(piece.split())
        if LETTERS.search(text) and text not in NAMES:
            yield text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_text_of_a_template_is_marked(path: Path) -> None:
    if path.name in UNTRANSLATED:
        pytest.skip("a document, in the language of the API")
    assert list(unmarked(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Read me</p>", ["Read me"]),
        ('<p>{% translate "Read me" %}</p>', []),
        ("<p>{% blocktranslate %}{{ n }} rows{% endblocktranslate %} of {{ group }}</p>", ["of"]),
        ('<img alt="A drawing"><b title="{% translate \'Read me\' %}">–</b>', ["A drawing"]),
        ('{% include "empty.html" with title="Read me" reason=_("Read me too") href="/runs" %}', ["Read me"]),
        ('<p>{{ owner|default:"nobody" }} {{ unit|default:_("none") }}</p>', ["nobody"]),
        ("<code>python manage.py serve</code>{# Read me #}<p>{{ count }} UTC</p>", []),
    ],
)
def test_what_is_not_marked_is_found(source: str, found: list[str]) -> None:
    assert list(unmarked(source)) == found

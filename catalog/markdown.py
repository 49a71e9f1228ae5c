"""Descriptions and journal entries, written in Markdown, as HTML that is safe to show.

What a person wrote is first parsed with raw HTML switched off, and the result is then cleaned against a short list of
elements: nothing but text, links and tables comes through, and no page loads anything from another host.
"""

from __future__ import annotations

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False}).enable(
    ["table", "strikethrough"]
)
# Headings would disturb the outline of the page that shows them.
_TAGS = {
    *("p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_HEADINGS = {f"<{slash}h{level}>": f"<{slash}{tag}>" for level in range(1, 7) for slash, tag in (("", "p"), ("/", "p"))}


@lru_cache(maxsize=512)
def rendered(text: str) -> SafeString:
    """``text`` as safe HTML; empty for an empty text."""
    html = _PARSER.render(text)
    for heading, paragraph in _HEADINGS.items():
        html = html.replace(heading, paragraph)
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # cleaned just above


def first_sentence(text: str, *, longest: int = 200) -> str:
    """The beginning of ``text`` without its marks, for places that have one line."""
    plain = " ".join(nh3.clean(_PARSER.render(text.split("\n\n")[0]), tags=set()).split())
    plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"

"""Markdown that people write is shown as they mean it, and does nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.markdown import first_sentence, rendered


def test_what_it_shows() -> None:
    html = rendered(
        "# Title\n\nMean **balance**, see [the book](https://example.org/b).\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )

    assert "<p>Title</p>" in html
    assert "<strong>balance</strong>" in html
    assert '<a href="https://example.org/b" rel="noopener noreferrer nofollow">the book</a>' in html
    assert "<td>2</td>" in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://evil.example/pixel.png)",
        '<a href="#" onclick="alert(1)">x</a>',
        "<style>*{display:none}</style>",
        '<p style="position:fixed">x</p>',
        "<iframe src='//evil.example'></iframe>",
        "[x](JaVaScRiPt:alert(1))",
        "<https://ok.example> [x](vbscript:x)",
    ],
)
def test_what_it_never_shows(hostile: str) -> None:
    html = rendered(hostile)

    assert not re.search(r"<(?!/?(p|a|em|strong|code)\b)[a-z]", html)
    assert not re.search(r"<[^>]*\s(on\w+|style|src)=", html)
    assert not re.search(r'<[^>]*href="(?!https://ok)', html)


@given(st.text())
def test_no_text_makes_an_element_that_is_not_allowed(text: str) -> None:
    assert not re.search(r"<(script|style|img|iframe|svg|form|input|h[1-6])\b", rendered(text))


def test_the_first_sentence_is_plain() -> None:
    assert first_sentence("Mean **balance** of `x` < 5 & more\n\nSecond") == "Mean balance of x < 5 & more"
    assert first_sentence("") == ""
    assert first_sentence("a" * 300) == "a" * 199 + "…"

"""Tables in Markdown, and their place in a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, its first column to the left and the others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown_seconds(seconds: float) -> str:
    """Three digits at most: ``8 ms``, ``0.41 s``, ``16.7 s``."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def shown_bytes(count: int) -> str:
    """Megabytes, or gigabytes with one digit."""
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def write_between(page: Path, *, name: str, text: str) -> None:
    """Put ``text`` between the markers ``<!-- name -->`` and ``<!-- end of name -->`` of a page.

    :raises ValueError: when the page lacks them.
    """
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found_start, rest = page.read_text().partition(start)
    _, found_end, after = rest.partition(end)
    if not found_start or not found_end:
        raise ValueError(f"{page} lacks the markers {start} and {end}")
    page.write_text(f"{before}{start}\n{text.strip()}\n{end}{after}")

"""A grid of days: one row per thing, one cell per day, its state told by shape and colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from catalog.drawings.svg import (
    Markup,
    drawing,
    element,
    label,
    link,
    number,
    placeholder,
    safe_href,
    shorten,
    slug,
    tooltip,
)
from catalog.wording import gettext as _

MAX_ROWS, MAX_COLUMNS = 60, 62
_LEFT, _TOP, _PITCH, _SIDE = 176.0, 34.0, 20.0, 16.0

# What is drawn on the square of a state, from its upper left corner; a good day is a plain square.
_GLYPHS = {
    "bad": "m4.5 4.5l7 7m0-7l-7 7",
    "warn": "m8 3.5l5 8.5h-10z",
    "late": "m8 3.5v5l3.5 2.5",
    "running": "m6 4l5.5 4l-5.5 4z",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One day: ``good``, ``warn``, ``bad``, ``late`` or ``running``, what to say of it, and where it is told."""

    state: str
    label: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One thing and its cells, as many as there are columns; None where there is nothing to tell."""

    label: str
    cells: Sequence[Cell | None]
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """``label`` stands above the column (2 characters), ``over`` above those that share it (a month)."""

    label: str
    over: str = ""


def heat_grid(*, rows: Sequence[Row], columns: Sequence[Column], title: str, description: str) -> Markup:
    """At most MAX_ROWS rows of at most MAX_COLUMNS cells, as large as it needs to be; show it where it can scroll.

    A cell of None is a small dot. Raises ValueError when a row has another number of cells than there are columns.
    """
    if any(len(row.cells) != len(columns) for row in rows):
        raise ValueError(f"every row needs {len(columns)} cells")
    kept, shown = list(rows)[:MAX_ROWS], list(columns)[-MAX_COLUMNS:]
    width = _LEFT + max(len(shown), 6) * _PITCH
    if not kept or not shown:
        return placeholder(
            kind="heat", width=width, height=64, title=title, description=description, reason=_("Nothing to show yet")
        )
    parts = _heads(shown)
    for index, row in enumerate(kept):
        top = _TOP + index * _PITCH
        name = label(shorten(row.label, 24), x=_LEFT - 10, y=top + 12, class_="d-label", anchor="end")
        parts.append(link(element("g", tooltip(row.label), name), href=row.href, name=row.label))
        parts += _cells(row.cells[-len(shown) :], top=top)
    return drawing(
        kind="heat",
        width=width,
        height=_TOP + len(kept) * _PITCH,
        title=title,
        description=description,
        children=parts,
        has_links=any(safe_href(row.href) or any(c and safe_href(c.href) for c in row.cells) for row in kept),
    )


def _heads(columns: Sequence[Column]) -> list[Markup]:
    parts = []
    at = 0
    for over, group in groupby(columns, key=lambda column: column.over):
        size = len(list(group))
        if over and size > 1:
            parts.append(label(over, x=_LEFT + at * _PITCH, y=11, class_="d-tick"))
        at += size
    for index, column in enumerate(columns):
        x = _LEFT + index * _PITCH + _SIDE / 2
        parts.append(label(shorten(column.label, 3), x=x, y=_TOP - 7, class_="d-tick", anchor="middle"))
    return parts


def _cells(cells: Sequence[Cell | None], *, top: float) -> list[Markup]:
    """The cells of one row; those without anything to tell are one path, as most pages have many."""
    parts, dots = [], []
    for index, cell in enumerate(cells):
        left = _LEFT + index * _PITCH
        if cell is None:
            dots.append(f"M{number(left + 7)} {number(top + 7)}h2v2h-2z")
            continue
        state = slug(cell.state)
        square = f"M{number(left)} {number(top)}h16v16h-16z"
        shapes = [element("path", d=square, class_=f"d-cell d-cell--{state}")]
        glyph = _GLYPHS.get(state)
        if glyph:
            path = f"M{number(left)} {number(top)}{glyph}"
            shapes.append(element("path", d=path, class_="d-cell__glyph"))
        target = safe_href(cell.href)
        said = tooltip(cell.label)
        parts.append(element("a" if target else "g", said, *shapes, href=target))
    if dots:
        parts.append(element("path", d="".join(dots), class_="d-cell--none"))
    return parts

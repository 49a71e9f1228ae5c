"""Building SVG text: escaped labels, known attributes only, finite numbers."""

import math
import re
from collections.abc import Iterable
from html import escape

MAX_SIDE = 16_000
"""No drawing is wider or higher than this many user units."""

_ATTRIBUTES = frozenset(
    {
        "aria-hidden",
        "aria-label",
        "class",
        "cx",
        "cy",
        "d",
        "height",
        "href",
        "points",
        "r",
        "role",
        "rx",
        "text-anchor",
        "viewBox",
        "width",
        "x",
        "x1",
        "x2",
        "xmlns",
        "y",
        "y1",
        "y2",
    }
)
# Not allowed in XML 1.0, and the marks that turn the direction of the text after them around.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


class Markup(str):
    """Text that is already escaped; template engines that honour ``__html__`` print it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def text(value: str) -> Markup:
    """``value`` as character data: escaped, and without what XML cannot hold."""
    return Markup(escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value), quote=True))


def shorten(value: str, limit: int) -> str:
    """``value`` on one line and in at most ``limit`` characters, an ellipsis for what was cut."""
    line = " ".join(value.split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"


def slug(value: str) -> str:
    """``value`` as the tail of a CSS class name, never empty."""
    return _NOT_SLUG.sub("-", value.lower()).strip("-")[:32] or "other"


def number(value: float) -> str:
    """A coordinate with at most two decimals. Raises ValueError for one that is not finite."""
    if not math.isfinite(value):
        raise ValueError(f"a coordinate must be finite, not {value}")
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def safe_href(href: str | None) -> str | None:
    """``href`` if it is a path of this site or a web address; None for every other scheme."""
    if href is None:
        return None
    ours = href.startswith(("/", "?", "#")) and not href.startswith(("//", "/\\"))
    return href if ours or href.startswith(("https://", "http://")) else None


def element(tag: str, *children: Markup, **attributes: str | float | None) -> Markup:
    """One element. ``class_`` is written class, ``aria_label`` aria-label; None leaves one out.

    Raises ValueError for an attribute that drawings have no use for, such as style or onclick.
    """
    parts = [tag]
    for name, value in attributes.items():
        if value is None:
            continue
        written = name.rstrip("_").replace("_", "-")
        if written not in _ATTRIBUTES:
            raise ValueError(f"{written} is not an attribute of drawings")
        parts.append(f'{written}="{text(value) if isinstance(value, str) else number(value)}"')
    head = " ".join(parts)
    if not children:
        return Markup(f"<{head}/>")
    return Markup(f"<{head}>{''.join(children)}</{tag}>")


def label(content: str, *, x: float, y: float, class_: str, anchor: str | None = None) -> Markup:
    """Text whose baseline is at ``y``; ``anchor`` is start (the default), middle or end."""
    return element("text", text(content), x=x, y=y, class_=class_, text_anchor=anchor)


def tooltip(content: str) -> Markup:
    """The title of a part, which browsers show when the pointer rests on it."""
    return element("title", text(content))


def link(content: Markup, *, href: str | None, name: str) -> Markup:
    """``content`` as a link called ``name``, or as it is when there is no safe address."""
    target = safe_href(href)
    return content if target is None else element("a", content, href=target, aria_label=name)


def drawing(
    *,
    kind: str,
    width: float,
    height: float,
    title: str,
    description: str,
    children: Iterable[Markup],
    has_links: bool = False,
) -> Markup:
    """The whole picture with its title and description.

    A picture with links is a group, because assistive technology hides what is inside an image.
    """
    width, height = capped(width), capped(height)
    return element(
        "svg",
        tooltip(title),
        element("desc", text(description)),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        class_=f"drawing drawing--{slug(kind)}",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width,
        height=height,
        role="group" if has_links else "img",
        aria_label=title,
    )


def capped(side: float, *, least: float = 16) -> float:
    """A side between ``least`` and MAX_SIDE user units."""
    return min(max(side, least), MAX_SIDE) if math.isfinite(side) else least


def placeholder(*, kind: str, width: float, height: float, title: str, description: str, reason: str) -> Markup:
    """A drawing without data: it says why."""
    width, height = capped(width), capped(height)
    return drawing(
        kind=kind,
        width=width,
        height=height,
        title=title,
        description=description,
        children=[label(reason, x=width / 2, y=height / 2 + 4, class_="d-empty", anchor="middle")],
    )

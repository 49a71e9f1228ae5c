"""The outcomes of the last runs, side by side, oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.drawings.svg import Markup, capped, drawing, element, link, placeholder, safe_href, slug, tooltip

MAX_OUTCOMES = 60
_PITCH, _WIDE = 9.0, 7.0

# How high a bar is, as a share of the strip: what went well stands tall, so that colour is not needed.
_HEIGHTS = {"succeeded": 1.0, "running": 0.7, "failed": 0.45, "cancelled": 0.3}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: its state, what to say about it, and where it is described."""

    state: str
    label: str
    href: str | None = None


def run_strip(*, outcomes: Sequence[Outcome], title: str, description: str, height: float = 24) -> Markup:
    """One bar for each of the newest MAX_OUTCOMES runs; ``outcomes`` are given oldest first.

    Succeeded is tall and full, running is lower, failed is low with a cross above it,
    every other state is the lowest.
    """
    shown = list(outcomes)[-MAX_OUTCOMES:]
    height = capped(height, least=16)
    if not shown:
        return placeholder(
            kind="strip", width=120, height=height, title=title, description=description, reason="No runs yet"
        )
    return drawing(
        kind="strip",
        width=len(shown) * _PITCH,
        height=height,
        title=title,
        description=description,
        children=[_bar(one, left=index * _PITCH, height=height) for index, one in enumerate(shown)],
        has_links=any(safe_href(one.href) for one in shown),
    )


def _bar(one: Outcome, *, left: float, height: float) -> Markup:
    state = slug(one.state)
    tall = max(_HEIGHTS.get(state, 0.3) * (height - 2), 3.0)
    parts = [
        tooltip(one.label),
        element("rect", x=left + 1, y=height - 1 - tall, width=_WIDE, height=tall, rx=1.5, class_="d-run__bar"),
    ]
    if state == "failed":
        y = height - 1 - tall - 7
        cross = f"M{left + 2:.1f} {y:.1f}l5 5m0 -5l-5 5"
        parts.append(element("path", d=cross, class_="d-run__cross"))
    return link(element("g", *parts, class_=f"d-run d-run--{state}"), href=one.href, name=one.label)

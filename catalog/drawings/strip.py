"""The outcomes of the last runs, side by side, oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.drawings.svg import (
    Markup,
    capped,
    drawing,
    element,
    link,
    number,
    placeholder,
    safe_href,
    slug,
    tooltip,
)
from catalog.wording import gettext as _

MAX_OUTCOMES = 60
_PITCH, _WIDE = 9.0, 7.0

# How high a bar is, as a share of the strip: what went well stands tall, so that colour is not needed.
_HEIGHTS = {
    "succeeded": 1.0,
    "pass": 1.0,
    "warn": 0.7,
    "running": 0.7,
    "reject": 0.55,
    "failed": 0.45,
    "fail": 0.45,
    "cancelled": 0.3,
}
_CROSSED = frozenset({"failed", "fail", "reject"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: its state, what to say about it, and where it is described."""

    state: str
    label: str
    href: str | None = None


def run_strip(
    *, outcomes: Sequence[Outcome], title: str, description: str, height: float = 24, places: int = 0
) -> Markup:
    """One bar for each of the newest MAX_OUTCOMES runs; ``outcomes`` are given oldest first.

    Succeeded and pass are tall and full, running and warn are lower, failed, fail and reject are low with a cross
    above them, every other state is the lowest. With ``places`` (7 on a card, 30 beside a rule) the strip is that
    many bars wide: the newest stands at the right, and a dot where there was no run yet.
    """
    places = min(max(places, 0), MAX_OUTCOMES)
    shown = list(outcomes)[-(places or MAX_OUTCOMES) :]
    height = capped(height, least=16)
    if not shown:
        return placeholder(
            kind="strip", width=120, height=height, title=title, description=description, reason=_("No runs yet")
        )
    missing = max(places - len(shown), 0)
    parts = [_bar(one, left=(missing + index) * _PITCH, height=height) for index, one in enumerate(shown)]
    if missing:
        dots = "".join(f"M{number(index * _PITCH + 3)} {number(height - 4)}h3v3h-3z" for index in range(missing))
        parts.insert(0, element("path", d=dots, class_="d-run__none"))
    return drawing(
        kind="strip",
        width=(missing + len(shown)) * _PITCH,
        height=height,
        title=title,
        description=description,
        children=parts,
        has_links=any(safe_href(one.href) for one in shown),
    )


def _bar(one: Outcome, *, left: float, height: float) -> Markup:
    state = slug(one.state)
    tall = max(_HEIGHTS.get(state, 0.3) * (height - 2), 3.0)
    parts = [
        tooltip(one.label),
        element("rect", x=left + 1, y=height - 1 - tall, width=_WIDE, height=tall, class_="d-run__bar"),
    ]
    if state in _CROSSED:
        y = height - 1 - tall - 7
        cross = f"M{left + 2:.1f} {y:.1f}l5 5m0 -5l-5 5"
        parts.append(element("path", d=cross, class_="d-run__cross"))
    return link(element("g", *parts, class_=f"d-run d-run--{state}"), href=one.href, name=one.label)

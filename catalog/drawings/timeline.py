"""When things ran and for how long, one line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.drawings.scale import Scale
from catalog.drawings.svg import (
    Markup,
    capped,
    drawing,
    element,
    label,
    link,
    placeholder,
    safe_href,
    shorten,
    slug,
    tooltip,
)
from catalog.terms import word_of
from catalog.wording import gettext as _

MAX_SPANS = 50
_ROW, _LEFT, _RIGHT, _BOTTOM = 24.0, 170.0, 20.0, 22.0


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` to ``end`` (aware; None while it still goes on), in ``state``."""

    label: str
    state: str
    start: datetime
    end: datetime | None = None
    href: str | None = None


def timeline(*, spans: Sequence[Span], now: datetime, title: str, description: str, width: float = 720) -> Markup:
    """One bar per span in the order given, at most MAX_SPANS; those without an end reach to ``now``.

    Raises ValueError for a time without a zone.
    """
    shown = list(spans)[:MAX_SPANS]
    times = [now, *(span.start for span in shown), *(span.end for span in shown if span.end)]
    if any(time.tzinfo is None for time in times):
        raise ValueError("the times of a timeline need a time zone")
    width = capped(width, least=320)
    if not shown:
        return placeholder(
            kind="timeline",
            width=width,
            height=48,
            title=title,
            description=description,
            reason=_("Nothing ran yet"),
        )
    low = min(span.start for span in shown)
    high = max(span.end or now for span in shown)
    high = max(high, low)
    across = Scale(low.timestamp(), high.timestamp(), _LEFT, width - _RIGHT)
    base = len(shown) * _ROW
    parts = [_row(span, index=index, now=now, across=across) for index, span in enumerate(shown)]
    parts.append(element("line", x1=_LEFT, x2=width - _RIGHT, y1=base, y2=base, class_="d-axis"))
    same_day = low.astimezone(UTC).date() == high.astimezone(UTC).date()
    for time, at, anchor in ((low, _LEFT, "start"), (high, width - _RIGHT, "end")):
        shown_time = f"{time.astimezone(UTC):{'%H:%M:%S' if same_day else '%Y-%m-%d %H:%M'}}"
        parts.append(label(f"{shown_time} UTC", x=at, y=base + 15, class_="d-tick", anchor=anchor))
    return drawing(
        kind="timeline",
        width=width,
        height=base + _BOTTOM,
        title=title,
        description=description,
        children=parts,
        has_links=any(safe_href(span.href) for span in shown),
    )


def _row(span: Span, *, index: int, now: datetime, across: Scale) -> Markup:
    end = max(span.end or now, span.start)
    left, right = across(span.start.timestamp()), across(end.timestamp())
    top = index * _ROW
    said = f"{span.label}: {word_of(span.state)}, {(end - span.start).total_seconds():,.1f} s"
    shape = element(
        "g",
        tooltip(said),
        label(shorten(span.label, 24), x=_LEFT - 8, y=top + 16, class_="d-label", anchor="end"),
        element(
            "rect",
            x=left,
            y=top + 5,
            width=max(right - left, 2.0),
            height=_ROW - 10,
            rx=2,
            class_="d-run__bar",
        ),
        class_=f"d-run d-run--{slug(span.state)}",
    )
    return link(shape, href=span.href, name=said)

"""What ran when: one lane per thing, all of its spans on one clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.drawings.scale import Scale
from catalog.drawings.svg import (
    Markup,
    capped,
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
from catalog.drawings.timeline import Span
from catalog.terms import word_of
from catalog.wording import gettext as _
from catalog.wording import short_day

MAX_LANES, MAX_SPANS = 40, 400
_MOST_DUE = 96  # Beyond every quarter of an hour of a day the triangles touch.
_LANE, _LEFT, _RIGHT, _TOP = 24.0, 176.0, 16.0, 22.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080)  # minutes


@dataclass(frozen=True, slots=True)
class Lane:
    """One thing and its spans, in any order; ``expected`` are instants at which one was due."""

    label: str
    spans: Sequence[Span]
    href: str | None = None
    expected: Sequence[datetime] = ()


def gantt(
    *,
    lanes: Sequence[Lane],
    start: datetime,
    end: datetime,
    now: datetime,
    title: str,
    description: str,
    width: float = 960,
) -> Markup:
    """One lane per thing from ``start`` to ``end``, a line at ``now``; spans without an end reach to ``now``.

    At most MAX_LANES lanes and the newest MAX_SPANS spans; spans outside are left out, those that reach over an edge
    are cut there. A failed span has a cross, a due instant is a hollow triangle; of very many of a lane a line says
    from when to when. Raises ValueError for a time
    without a zone, and when ``end`` is not after ``start``.
    """
    kept = [
        Lane(lane.label, [one for one in lane.spans if (one.end or now) >= start and one.start <= end], lane.href)
        for lane in lanes
    ]
    kept = kept[:MAX_LANES]
    due = [[at for at in lane.expected if start <= at <= end] for lane in lanes][:MAX_LANES]
    if any(time.tzinfo is None for time in (start, end, now)):
        raise ValueError("the times of a Gantt drawing need a time zone")
    if end <= start:
        raise ValueError("a Gantt drawing must end after its start")
    width = capped(width, least=360)
    if not any(lane.spans for lane in kept) and not any(due):
        return placeholder(
            kind="gantt",
            width=width,
            height=64,
            title=title,
            description=description,
            reason=_("Nothing ran in this time"),
        )
    across = Scale(start.timestamp(), end.timestamp(), _LEFT, width - _RIGHT)
    base = _TOP + len(kept) * _LANE
    newest = sorted((one.start for lane in kept for one in lane.spans), reverse=True)[:MAX_SPANS]
    oldest = newest[-1] if newest else end
    parts = _clock(start, end, across=across, base=base)
    for index, (lane, instants) in enumerate(zip(kept, due, strict=True)):
        top = _TOP + index * _LANE
        name = label(shorten(lane.label, 24), x=_LEFT - 10, y=top + 16, class_="d-label", anchor="end")
        parts.append(element("line", x1=_LEFT, x2=width - _RIGHT, y1=top + 12, y2=top + 12, class_="d-lane"))
        parts.append(link(element("g", tooltip(lane.label), name), href=lane.href, name=lane.label))
        if len(instants) > _MOST_DUE:
            parts.append(_due_often(instants, across=across, top=top))
        else:
            parts += [_due(at, x=across(at.timestamp()), top=top) for at in instants]
        parts += [_span(one, now=now, across=across, top=top) for one in lane.spans if one.start >= oldest]
    if start <= now <= end:
        at = across(now.timestamp())
        line = element("line", x1=at, x2=at, y1=_TOP - 4, y2=base, class_="d-now")
        parts.append(element("g", tooltip(_("now, %(time)s") % {"time": _hour(now)}), line))
    return drawing(
        kind="gantt",
        width=width,
        height=base + 6,
        title=title,
        description=description,
        children=parts,
        has_links=any(safe_href(lane.href) or any(safe_href(one.href) for one in lane.spans) for lane in kept),
    )


def _clock(start: datetime, end: datetime, *, across: Scale, base: float) -> list[Markup]:
    minutes = (end - start).total_seconds() / 60
    step = next((one for one in _STEPS if minutes / one <= 9), _STEPS[-1])
    size = max(step, minutes / 20) * 60
    first = -(-start.timestamp() // size) * size
    parts = []
    for index in range(21):
        at = datetime.fromtimestamp(min(first + index * size, end.timestamp()), UTC)
        if first + index * size > end.timestamp():
            break
        x = across(at.timestamp())
        parts.append(element("line", x1=x, x2=x, y1=_TOP - 4, y2=base, class_="d-grid"))
        parts.append(label(_hour(at) if step < 1440 else short_day(at), x=x, y=12, class_="d-tick", anchor="middle"))
    return parts


def _hour(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M}"


def _due(at: datetime, *, x: float, top: float) -> Markup:
    shape = element("path", d=f"M{number(x - 4)} {number(top + 3)}h8l-4 7z", class_="d-due")
    return element("g", tooltip(_("due at %(time)s UTC") % {"time": _hour(at)}), shape)


def _due_often(instants: Sequence[datetime], *, across: Scale, top: float) -> Markup:
    first, last = min(instants), max(instants)
    left, right = across(first.timestamp()), across(last.timestamp())
    line = element("path", d=f"M{number(left)} {number(top + 3)}H{number(right)}", class_="d-due d-due--often")
    return element("g", tooltip(f"due {len(instants):,} times from {_hour(first)} to {_hour(last)} UTC"), line)


def _span(one: Span, *, now: datetime, across: Scale, top: float) -> Markup:
    end = max(one.end or now, one.start)
    left, right = across(one.start.timestamp()), across(end.timestamp())
    state = slug(one.state)
    long = end - one.start
    said = f"{one.label}: {word_of(one.state)}, {_hour(one.start)} UTC, {_long(long)}"
    wide = max(right - left, 3.0)
    parts = [
        tooltip(said),
        element("rect", x=left, y=top + 5, width=wide, height=_LANE - 10, rx=2, class_="d-run__bar"),
    ]
    if state == "failed":
        middle = left + wide / 2
        parts.append(
            element("path", d=f"M{number(middle - 2.5)} {number(top - 2)}l5 5m0 -5l-5 5", class_="d-run__cross")
        )
    return link(element("g", *parts, class_=f"d-run d-run--{state}"), href=one.href, name=said)


def _long(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"

"""How one number went over time, with axes, levels that should hold, and a mark at every run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from catalog.drawings.scale import Scale, distinct_labels, finite, nice_ticks, percentage, short_number
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
    tooltip,
)
from catalog.wording import gettext as _

MAX_POINTS = 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 14.0, 14.0, 22.0


@dataclass(frozen=True, slots=True)
class Point:
    """``value`` at ``at`` (aware); None is a gap. ``label`` says what made it, ``href`` where it is told."""

    at: datetime
    value: float | None
    label: str = ""
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level, and on which side of it a value is ``bad``: above it or below it."""

    value: float
    label: str
    bad: Literal["above", "below"] = "above"

    @property
    def said(self) -> str:
        """What a value that breaks it is."""
        words = _("above %(level)s") if self.bad == "above" else _("below %(level)s")
        return words % {"level": self.label}

    def is_broken_by(self, value: float) -> bool:
        """Whether ``value`` lies on the bad side; the level itself is still good."""
        return value > self.value if self.bad == "above" else value < self.value


def line_chart(
    *,
    points: Sequence[Point],
    title: str,
    description: str,
    thresholds: Sequence[Threshold] = (),
    shares: bool = False,
    width: float = 480,
    height: float = 150,
) -> Markup:
    """A line through the newest MAX_POINTS ``points``, given oldest first, at their times.

    A point is a round dot; one that breaks a threshold is a diamond. ``shares`` labels the axis in percent.
    None, NaN and infinity are gaps. Raises ValueError for a time without a zone.
    """
    shown = list(points)[-MAX_POINTS:]
    if any(point.at.tzinfo is None for point in shown):
        raise ValueError("the times of a line need a time zone")
    levels = [one for one in thresholds if math.isfinite(one.value)]
    known = finite([point.value for point in shown])
    if not known:
        return placeholder(
            kind="line", width=width, height=height, title=title, description=description, reason=_("No history yet")
        )
    width, height = capped(width, least=160), capped(height, least=72)
    every = [*known, *(one.value for one in levels)]
    low, high = min(every), max(every)
    if low >= 0 and (shares or low <= (high - low)):
        low = 0.0  # what is near zero is drawn from zero, so that small changes look small
    base = height - _BOTTOM
    up = Scale(low, high, base, _TOP)
    times = [point.at.timestamp() for point in shown]
    across = Scale(min(times), max(times), _LEFT, width - _RIGHT)
    parts = _value_axis(low, high, up=up, right=width - _RIGHT, shares=shares)
    parts += [_level(one, up=up, right=width - _RIGHT, shares=shares) for one in levels]
    parts += _lines(shown, across=across, up=up)
    parts += [_dot(point, across=across, up=up, levels=levels, shares=shares) for point in shown if _is_known(point)]
    parts.append(element("line", x1=_LEFT, x2=width - _RIGHT, y1=base, y2=base, class_="d-axis"))
    parts += _time_axis(shown, base=base, right=width - _RIGHT)
    return drawing(
        kind="line",
        width=width,
        height=height,
        title=title,
        description=description,
        children=parts,
        has_links=any(safe_href(point.href) for point in shown if _is_known(point)),
    )


def breaks(point: Point, thresholds: Sequence[Threshold]) -> tuple[Threshold, ...]:
    """The thresholds that the value of ``point`` breaks."""
    value = point.value
    if value is None or not math.isfinite(value):
        return ()
    return tuple(one for one in thresholds if math.isfinite(one.value) and one.is_broken_by(value))


def _is_known(point: Point) -> bool:
    return point.value is not None and math.isfinite(point.value)


def _said(value: float, *, shares: bool) -> str:
    return percentage(value) if shares else short_number(value, digits=4)


def _value_axis(low: float, high: float, *, up: Scale, right: float, shares: bool) -> list[Markup]:
    ticks = nice_ticks(low, high, about=3)
    names = [percentage(tick) for tick in ticks] if shares else distinct_labels(ticks)
    parts = []
    for tick, name in zip(ticks, names, strict=True):
        at = up(tick)
        parts.append(element("line", x1=_LEFT, x2=right, y1=at, y2=at, class_="d-grid"))
        parts.append(label(name, x=_LEFT - 6, y=at + 4, class_="d-tick", anchor="end"))
    return parts


def _level(one: Threshold, *, up: Scale, right: float, shares: bool) -> Markup:
    at = up(one.value)
    return element(
        "g",
        tooltip(f"{one.label}: {_said(one.value, shares=shares)}"),
        element("line", x1=_LEFT, x2=right, y1=at, y2=at, class_="d-threshold"),
        label(one.label, x=right, y=at - 4 if at > 2 * _TOP else at + 12, class_="d-note", anchor="end"),
    )


def _lines(points: Sequence[Point], *, across: Scale, up: Scale) -> list[Markup]:
    stretches: list[list[str]] = [[]]
    for point in points:
        if point.value is None or not math.isfinite(point.value):
            stretches.append([])
        else:
            stretches[-1].append(f"{number(across(point.at.timestamp()))},{number(up(point.value))}")
    return [element("polyline", points=" ".join(one), class_="d-line") for one in stretches if len(one) > 1]


def _dot(point: Point, *, across: Scale, up: Scale, levels: Sequence[Threshold], shares: bool) -> Markup:
    value = point.value or 0.0
    x, y = across(point.at.timestamp()), up(value)
    said = f"{point.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {_said(value, shares=shares)}"
    broken = breaks(point, levels)
    if broken:
        said += f", {broken[0].said}"
        shape = element("path", d=f"M{number(x)} {number(y - 5)}l5 5l-5 5l-5 -5z", class_="d-point d-point--broken")
    else:
        shape = element("circle", cx=x, cy=y, r=2.5, class_="d-point")
    if point.label:
        said += f" ({point.label})"
    return link(element("g", tooltip(said), shape), href=point.href, name=said)


def _time_axis(points: Sequence[Point], *, base: float, right: float) -> list[Markup]:
    low, high = min(point.at for point in points), max(point.at for point in points)
    if low == high:
        return [label(_day(low), x=(_LEFT + right) / 2, y=base + 16, class_="d-tick", anchor="middle")]
    same_day = low.astimezone(UTC).date() == high.astimezone(UTC).date()
    name = _minute if same_day else _day
    return [
        label(name(low), x=_LEFT, y=base + 16, class_="d-tick"),
        label(name(high), x=right, y=base + 16, class_="d-tick", anchor="end"),
    ]


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M} UTC"

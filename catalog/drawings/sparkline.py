"""A small line without axes: how one number went over time."""

import math
from collections.abc import Sequence

from catalog.drawings.scale import Scale, finite, short_number
from catalog.drawings.svg import Markup, capped, drawing, element, number, placeholder, tooltip
from catalog.wording import gettext as _

MAX_POINTS, MAX_MARKS = 500, 60
_PAD = 4.0


def sparkline(
    *,
    values: Sequence[float | None],
    title: str,
    description: str,
    width: float = 160,
    height: float = 36,
    threshold: float | None = None,
    band: tuple[float, float] | None = None,
    marks: Sequence[int] = (),
) -> Markup:
    """A line through ``values``, equally far apart, the last one as a dot.

    None, NaN and infinity are gaps. ``threshold`` is a level shown as a dashed line, ``band`` the usual range
    (lower, upper) shown as a wash behind the line, ``marks`` are places in ``values`` with a tick below them
    (a new version, an incident). More than MAX_POINTS values are thinned so that the least and the greatest of
    every stretch stay.
    """
    known = finite(values)
    if not known:
        return placeholder(
            kind="sparkline",
            width=width,
            height=height,
            title=title,
            description=description,
            reason=_("No history yet"),
        )
    width, height = capped(width, least=24), capped(height, least=16)
    usual = sorted(finite(band or ()))
    levels = finite([*known, threshold, *usual])
    up = Scale(min(levels), max(levels), height - _PAD, _PAD)
    across = Scale(0, len(values) - 1, _PAD, width - _PAD)
    parts: list[Markup] = []
    if len(usual) == 2:
        top, bottom = up(usual[1]), up(usual[0])
        said = tooltip(
            _("usual: %(low)s to %(high)s") % {"low": short_number(usual[0]), "high": short_number(usual[1])}
        )
        wash = {"x": _PAD, "y": top, "width": width - 2 * _PAD, "height": max(bottom - top, 1.0)}
        parts.append(element("rect", said, **wash, class_="d-band"))
    for place in sorted({at for at in marks if 0 <= at < len(values)})[:MAX_MARKS]:
        parts.append(element("path", d=f"M{number(across(place))} {number(height - 4)}l3 4h-6z", class_="d-tick-mark"))
    if threshold is not None and math.isfinite(threshold):
        at = up(threshold)
        parts.append(
            element(
                "line",
                tooltip(_("threshold %(value)s") % {"value": short_number(threshold)}),
                x1=_PAD,
                x2=width - _PAD,
                y1=at,
                y2=at,
                class_="d-threshold",
            )
        )
    last = (0.0, 0.0)
    for stretch in _stretches(values):
        points = [(across(index), up(value)) for index, value in _thinned(stretch)]
        last = points[-1]
        if len(points) == 1:
            parts.append(element("circle", cx=last[0], cy=last[1], r=1.5, class_="d-dot"))
        else:
            path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
            parts.append(element("polyline", points=path, class_="d-line"))
    parts.append(
        element(
            "circle",
            tooltip(_("latest %(value)s") % {"value": short_number(known[-1], digits=4)}),
            cx=last[0],
            cy=last[1],
            r=3,
            class_="d-last",
        )
    )
    return drawing(kind="sparkline", width=width, height=height, title=title, description=description, children=parts)


def _stretches(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Runs of neighbouring known values, each with its place in the sequence."""
    stretches: list[list[tuple[int, float]]] = []
    joined = False
    for index, value in enumerate(values):
        if value is None or not math.isfinite(value):
            joined = False
            continue
        if not joined:
            stretches.append([])
        stretches[-1].append((index, float(value)))
        joined = True
    return stretches


def _thinned(stretch: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(stretch) <= MAX_POINTS:
        return stretch
    size = math.ceil(len(stretch) * 2 / MAX_POINTS)
    kept: set[tuple[int, float]] = {stretch[0], stretch[-1]}
    for start in range(0, len(stretch), size):
        part = stretch[start : start + size]
        kept.add(min(part, key=lambda point: point[1]))
        kept.add(max(part, key=lambda point: point[1]))
    return sorted(kept)

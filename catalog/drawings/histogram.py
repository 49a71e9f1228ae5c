"""How the values of one feature are distributed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.drawings.scale import Scale, distinct_labels, nice_ticks, percentage, short_number
from catalog.drawings.svg import Markup, capped, drawing, element, label, number, placeholder, tooltip
from catalog.wording import gettext as _

MAX_BINS, MAX_MINI_BINS = 120, 24
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 14.0, 14.0, 22.0


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts[i]`` values lie between ``edges[i]`` and ``edges[i + 1]``; edges never fall."""

    edges: Sequence[float]
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar: how many values, and their share of all."""

    low: float
    high: float
    count: int
    share: float

    @property
    def interval(self) -> str:
        """The two edges as text."""
        if self.low == self.high:
            return short_number(self.low, digits=6)
        low, high = distinct_labels((self.low, self.high))
        return _("%(low)s to %(high)s") % {"low": low, "high": high}

    @property
    def percentage(self) -> str:
        """The share as text."""
        return percentage(self.share)


def bins_of(*, edges: Sequence[float], counts: Sequence[int], most: int = MAX_BINS) -> tuple[Bin, ...]:
    """The bars of a histogram, also the rows of the table that says the same as the drawing.

    Bins with an edge that is not finite are left out; more than ``most`` bins are merged with their
    neighbours. Raises ValueError unless there is one edge more than counts (or neither), and for a
    negative count.
    """
    if len(edges) != len(counts) + 1 and (edges or counts):
        raise ValueError(f"{len(counts)} counts need {len(counts) + 1} edges, not {len(edges)}")
    if any(count < 0 for count in counts):
        raise ValueError("a count cannot be negative")
    kept = [
        (float(low), float(high), int(count))
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
        if math.isfinite(low) and math.isfinite(high) and low <= high
    ]
    size = math.ceil(len(kept) / most) or 1
    merged = [kept[start : start + size] for start in range(0, len(kept), size)]
    total = sum(count for _low, _high, count in kept)
    return tuple(
        Bin(
            low=group[0][0],
            high=group[-1][1],
            count=(count := sum(one for _low, _high, one in group)),
            share=count / total if total else 0.0,
        )
        for group in merged
    )


def histogram(
    *,
    edges: Sequence[float],
    counts: Sequence[int],
    title: str,
    description: str,
    width: float = 480,
    height: float = 160,
    reference: Histogram | None = None,
    mark: float | None = None,
) -> Markup:
    """Bars whose height is the count of each bin.

    With a ``reference`` (another histogram, best over the same edges) both are drawn as shares of
    their own total, the reference as an outline. ``mark`` is a value shown by a vertical line.
    Raises ValueError as :func:`bins_of` does.
    """
    bins = bins_of(edges=edges, counts=counts)
    if not any(one.count for one in bins):
        return placeholder(
            kind="histogram",
            width=width,
            height=height,
            title=title,
            description=description,
            reason=_("No values to draw"),
        )
    others = bins_of(edges=reference.edges, counts=reference.counts) if reference else ()
    others = others if any(one.count for one in others) else ()
    width, height = capped(width, least=120), capped(height, least=64)
    every = bins + others
    low, high = min(one.low for one in every), max(one.high for one in every)
    across = Scale(low, high, _LEFT, width - _RIGHT)
    top = max(_height(one, shares=bool(others)) for one in every)
    up = Scale(0.0, float(top), height - _BOTTOM, _TOP)
    base = height - _BOTTOM
    parts = [
        element("line", x1=_LEFT, x2=width - _RIGHT, y1=_TOP, y2=_TOP, class_="d-grid"),
        label(
            percentage(top) if others else short_number(top),
            x=_LEFT - 6,
            y=_TOP + 4,
            class_="d-tick",
            anchor="end",
        ),
        label("0", x=_LEFT - 6, y=base + 4, class_="d-tick", anchor="end"),
        *(_bar(one, across=across, up=up, base=base, shares=bool(others)) for one in bins),
    ]
    if others:
        parts.append(_outline(others, across=across, up=up, base=base))
    parts.append(element("line", x1=_LEFT, x2=width - _RIGHT, y1=base, y2=base, class_="d-axis"))
    parts.extend(_ticks(low, high, across=across, base=base))
    if mark is not None and math.isfinite(mark) and low <= mark <= high:
        at = across(mark)
        parts.append(
            element(
                "line",
                tooltip(short_number(mark, digits=6)),
                x1=at,
                x2=at,
                y1=_TOP - 6,
                y2=base,
                class_="d-mark",
            )
        )
    return drawing(kind="histogram", width=width, height=height, title=title, description=description, children=parts)


def mini_histogram(
    *,
    edges: Sequence[float],
    counts: Sequence[int],
    title: str,
    description: str,
    width: float = 96,
    height: float = 28,
    mark: float | None = None,
) -> Markup:
    """The shape of a distribution in the space of a card: at most MAX_MINI_BINS bars on one path, no axes.

    ``mark`` is a value shown by a vertical line. Raises ValueError as :func:`bins_of` does.
    """
    bins = bins_of(edges=edges, counts=counts, most=MAX_MINI_BINS)
    if not any(one.count for one in bins):
        return placeholder(
            kind="mini", width=width, height=height, title=title, description=description, reason=_("No values")
        )
    width, height = capped(width, least=24), capped(height, least=12)
    low, high = bins[0].low, max(one.high for one in bins)
    across, up = Scale(low, high, 1.0, width - 1.0), Scale(0.0, float(max(one.count for one in bins)), 0.0, height - 2)
    bars = []
    for one in bins:
        left, right = across(one.low), across(one.high)
        if one.low == one.high:
            left, right = left - 4, right + 4
        tall = max(up(one.count), 1.0) if one.count else 0.0
        wide = max(right - left - (0.5 if right - left > 2 else 0.0), 0.5)
        if tall:
            bars.append(f"M{number(left)} {number(height - 1)}v{number(-tall)}h{number(wide)}v{number(tall)}z")
    parts = [
        element("path", d="".join(bars), class_="d-bar"),
        element("line", x1=0, x2=width, y1=height - 0.5, y2=height - 0.5, class_="d-axis"),
    ]
    if mark is not None and math.isfinite(mark) and low <= mark <= high:
        at = across(mark)
        parts.append(element("line", x1=at, x2=at, y1=0, y2=height, class_="d-mark"))
    return drawing(kind="mini", width=width, height=height, title=title, description=description, children=parts)


def _height(one: Bin, *, shares: bool) -> float:
    return one.share if shares else float(one.count)


def _bar(one: Bin, *, across: Scale, up: Scale, base: float, shares: bool) -> Markup:
    left, right = across(one.low), across(one.high)
    # A bin without width (all values equal) still needs a bar that can be seen.
    gap = 1.0 if right - left > 3 else 0.0
    wide = max(right - left - gap, 1.0)
    if one.low == one.high:
        left, wide = left - 6, 12.0
    tall = base - up(_height(one, shares=shares))
    if one.count:
        tall = max(tall, 1.0)
    return element(
        "rect",
        tooltip(f"{one.interval}: {one.count:,} ({percentage(one.share)})"),
        x=left,
        y=base - tall,
        width=wide,
        height=tall,
        class_="d-bar",
    )


def _outline(bins: Sequence[Bin], *, across: Scale, up: Scale, base: float) -> Markup:
    points = [(across(bins[0].low), base)]
    for one in bins:
        level = up(one.share)
        points += [(across(one.low), level), (across(one.high), level)]
    points.append((across(bins[-1].high), base))
    path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return element("polyline", points=path, class_="d-reference")


def _ticks(low: float, high: float, *, across: Scale, base: float) -> list[Markup]:
    ticks = nice_ticks(low, high, about=5)
    parts = []
    for tick, shown in zip(ticks, distinct_labels(ticks), strict=True):
        at = across(tick)
        parts.append(element("line", x1=at, x2=at, y1=base, y2=base + 4, class_="d-axis"))
        parts.append(label(shown, x=at, y=base + 16, class_="d-tick", anchor="middle"))
    return parts

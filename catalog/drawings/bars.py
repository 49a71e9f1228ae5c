"""Bars: the most frequent values, how complete a feature is, and where its percentiles lie."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.drawings.scale import Scale, distinct_labels, percentage, short_number
from catalog.drawings.svg import Markup, capped, drawing, element, label, number, placeholder, shorten, text, tooltip
from catalog.wording import gettext as _

MAX_VALUES = 20
_ROW = 22.0
_LABEL_LIMIT = 22


@dataclass(frozen=True, slots=True)
class TopValue:
    """A value and how often it occurs."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Least value, quartiles and greatest value, in the unit of the feature."""

    minimum: float
    lower: float
    median: float
    upper: float
    maximum: float


def top_values(*, values: Sequence[TopValue], total: int, title: str, description: str, width: float = 480) -> Markup:
    """One bar per value, in the order given, its length its share of ``total`` rows.

    At most MAX_VALUES are drawn; what they leave of the total is one more bar, "other values".
    Raises ValueError for a negative count.
    """
    if any(one.count < 0 for one in values) or total < 0:
        raise ValueError("a count cannot be negative")
    width = capped(width, least=240)
    shown = list(values)[:MAX_VALUES]
    total = max(total, sum(one.count for one in shown))
    if total == 0 or not shown:
        return placeholder(
            kind="bars",
            width=width,
            height=2 * _ROW,
            title=title,
            description=description,
            reason=_("No values to draw"),
        )
    rest = total - sum(one.count for one in shown)
    rows = [(one.label or _("(empty text)"), one.count, "d-bar") for one in shown]
    if rest:
        rows.append((_("other values"), rest, "d-bar d-bar--rest"))
    left, right = 150.0, 100.0
    most = max(count for _name, count, _class in rows)
    along = Scale(0.0, most / total, 0.0, max(width - left - right, 20.0))
    parts: list[Markup] = []
    for index, (name, count, class_) in enumerate(rows):
        top = index * _ROW
        long = max(along(count / total), 1.0 if count else 0.0)
        parts.append(
            element(
                "g",
                tooltip(f"{name}: {count:,} ({percentage(count / total)})"),
                label(shorten(name, _LABEL_LIMIT), x=left - 8, y=top + 15, class_="d-label", anchor="end"),
                element("rect", x=left, y=top + 4, width=long, height=_ROW - 8, rx=2, class_=class_),
                label(
                    f"{short_number(count)} · {percentage(count / total)}",
                    x=left + long + 6,
                    y=top + 15,
                    class_="d-tick",
                ),
            )
        )
    return drawing(
        kind="bars",
        width=width,
        height=len(rows) * _ROW,
        title=title,
        description=description,
        children=parts,
    )


def completeness_bar(
    *,
    share: float | None,
    title: str,
    description: str,
    threshold: float | None = None,
    width: float = 120,
    height: float = 10,
) -> Markup:
    """A share of one as a filled bar, with a line at the least share that is good enough.

    Unknown (None or NaN) is a hollow bar. Shares are clamped to 0..1.
    """
    width, height = capped(width, least=24), capped(height, least=6)
    known = share is not None and math.isfinite(share)
    low = known and share is not None and threshold is not None and share < threshold
    parts = [element("rect", x=0, y=0, width=width, height=height, rx=2, class_="d-track")]
    if known and share is not None:
        filled = Scale(0.0, 1.0, 0.0, width)(share)
        class_ = "d-fill d-fill--low" if low else "d-fill"
        parts.append(element("rect", x=0, y=0, width=filled, height=height, rx=2, class_=class_))
    if threshold is not None and math.isfinite(threshold):
        at = Scale(0.0, 1.0, 0.0, width)(threshold)
        parts.append(element("line", x1=at, x2=at, y1=0, y2=height, class_="d-mark"))
    return drawing(kind="share", width=width, height=height, title=title, description=description, children=parts)


def percentile_bar(
    *,
    percentiles: Percentiles,
    title: str,
    description: str,
    width: float = 480,
    height: float = 44,
    mark: float | None = None,
    labels: bool = True,
) -> Markup:
    """A box from the lower to the upper quartile on a line from least to greatest, the median marked.

    ``mark`` is one value to be seen against them (the value of an entity, the duration of this run), a diamond; one
    beyond the least or the greatest stands at the end. ``labels`` writes least, median and greatest below.
    """
    points = (
        percentiles.minimum,
        percentiles.lower,
        percentiles.median,
        percentiles.upper,
        percentiles.maximum,
    )
    if not all(math.isfinite(point) for point in points):
        return placeholder(
            kind="percentiles",
            width=width,
            height=height,
            title=title,
            description=description,
            reason=_("No numbers to draw"),
        )
    width, height = capped(width, least=160 if labels else 48), capped(height, least=36 if labels else 16)
    ordered = sorted(points)
    side = 30.0 if labels else 7.0
    along = Scale(ordered[0], ordered[-1], side, width - side)
    least, lower, median, upper, greatest = (along(point) for point in ordered)
    middle = (height - 16) / 2 if labels else height / 2
    shown = distinct_labels([ordered[0], ordered[-1], ordered[2]])
    names = (_("least"), _("median"), _("greatest"))
    parts = [
        element("line", x1=least, x2=greatest, y1=middle, y2=middle, class_="d-axis"),
        element(
            "rect",
            tooltip(
                _("half of the values: %(low)s to %(high)s")
                % {"low": short_number(ordered[1]), "high": short_number(ordered[3])}
            ),
            x=lower,
            y=middle - (7 if labels else 5),
            width=max(upper - lower, 1.0),
            height=14 if labels else 10,
            rx=2,
            class_="d-box",
        ),
        element(
            "line",
            x1=median,
            x2=median,
            y1=middle - (10 if labels else 7),
            y2=middle + (10 if labels else 7),
            class_="d-median",
        ),
    ]
    if mark is not None and math.isfinite(mark):
        at, beyond = along(mark), "" if ordered[0] <= mark <= ordered[-1] else " d-point--broken"
        shape = element("path", d=f"M{number(at)} {number(middle - 6)}l6 6l-6 6l-6 -6z", class_=f"d-here{beyond}")
        parts.append(element("g", tooltip(_("this one: %(value)s") % {"value": short_number(mark, digits=4)}), shape))
    if not labels:
        shown = []
    # Labels that would run into each other are left to the tooltip.
    taken: list[float] = []
    for at, value, name in zip((least, greatest, median), shown, (0, 2, 1), strict=False):
        if all(abs(at - other) > 44 for other in taken):
            taken.append(at)
            content = element(
                "text",
                tooltip(names[name]),
                text(value),
                x=at,
                y=height - 2,
                class_="d-tick",
                text_anchor="middle",
            )
            parts.append(content)
    return drawing(kind="percentiles", width=width, height=height, title=title, description=description, children=parts)

"""The tables that say the same as the drawings, for those who do not see them and those who want the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.drawings.bars import Percentiles
from catalog.drawings.gantt import Lane
from catalog.drawings.heat_grid import Column, Row
from catalog.drawings.histogram import Histogram, bins_of
from catalog.drawings.line_chart import Point, Threshold, breaks
from catalog.drawings.scale import percentage, short_number
from catalog.drawings.strip import Outcome
from catalog.terms import word_of
from catalog.wording import gettext as _
from catalog.wording import ngettext

_NONE = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of texts, all equally long."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def histogram_table(*, edges: Sequence[float], counts: Sequence[int], reference: Histogram | None = None) -> Table:
    """One row per bar, and with a ``reference`` the share that its bins have.

    The shares stand side by side only where both have the same bins; otherwise the reference's rows follow.
    """
    bins = bins_of(edges=edges, counts=counts)
    rows = [(one.interval, f"{one.count:,}", one.percentage) for one in bins]
    if reference is None:
        return Table((_("Values"), _("Rows"), _("Share")), rows)
    headings = (_("Values"), _("Rows"), _("Share"), _("Share in the reference"))
    others = bins_of(edges=reference.edges, counts=reference.counts)
    if [(one.low, one.high) for one in others] == [(one.low, one.high) for one in bins]:
        both = [(*row, other.percentage) for row, other in zip(rows, others, strict=True)]
        return Table(headings, both)
    now = [(*row, _NONE) for row in rows]
    then = [(one.interval, _NONE, _NONE, one.percentage) for one in others]
    return Table(headings, [*now, *then])


def line_table(*, points: Sequence[Point], thresholds: Sequence[Threshold] = (), shares: bool = False) -> Table:
    """One row per point, newest first, with what it breaks."""
    rows = []
    for point in reversed(points):
        known = point.value is not None and short_number(point.value) != _NONE
        value = _NONE if not known or point.value is None else _number(point.value, shares=shares)
        broken = ", ".join(one.said for one in breaks(point, thresholds))
        rows.append((_minute(point.at), value, broken or (_("kept") if known and thresholds else ""), point.label))
    return Table((_("When"), _("Value"), _("Threshold"), _("What")), rows)


def percentile_table(*, percentiles: Percentiles, mark: float | None = None) -> Table:
    """Least value, quartiles and greatest value, and the marked one."""
    said = (
        (_("least"), percentiles.minimum),
        (_("lower quartile"), percentiles.lower),
        (_("median"), percentiles.median),
        (_("upper quartile"), percentiles.upper),
        (_("greatest"), percentiles.maximum),
    )
    rows = [(name, short_number(value, digits=6)) for name, value in said]
    if mark is not None:
        rows.append((_("this one"), short_number(mark, digits=6)))
    return Table((_("What"), _("Value")), rows)


def strip_table(*, outcomes: Sequence[Outcome]) -> Table:
    """One row per run, newest first."""
    return Table((_("State"), _("What")), [(word_of(one.state), one.label) for one in reversed(outcomes)])


def heat_table(*, rows: Sequence[Row], columns: Sequence[Column]) -> Table:
    """One row per thing, the state of each day."""
    headings = tuple(f"{column.over} {column.label}".strip() for column in columns)
    said = [(row.label, *(_NONE if cell is None else word_of(cell.state) for cell in row.cells)) for row in rows]
    return Table(("", *headings), said)


def gantt_table(*, lanes: Sequence[Lane], now: datetime) -> Table:
    """One row per span, newest first; then one per lane that tells when one was due."""
    spans = sorted(((one, lane.label) for lane in lanes for one in lane.spans), key=lambda pair: pair[0].start)
    rows = [
        (
            lane,
            one.label,
            word_of(one.state),
            _minute(one.start),
            f"{((one.end or now) - one.start).total_seconds():,.1f} s",
        )
        for one, lane in reversed(spans)
    ]
    rows += [
        (lane.label, _("due"), _times(len(lane.expected)), _due(lane.expected), "") for lane in lanes if lane.expected
    ]
    return Table((_("Lane"), _("What"), _("State"), _("Start"), _("Took")), rows)


def _times(count: int) -> str:
    return ngettext("%(count)s times", "%(count)s times", count) % {"count": f"{count:,}"}


def _due(instants: Sequence[datetime]) -> str:
    """Each of a few, and of many the first and the last."""
    every = [_minute(at) for at in sorted(instants)]
    return (
        ", ".join(every)
        if len(every) <= 6
        else _("from %(first)s to %(last)s") % {"first": every[0], "last": every[-1]}
    )


def _number(value: float, *, shares: bool) -> str:
    return percentage(value) if shares else short_number(value, digits=6)


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

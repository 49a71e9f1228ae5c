"""The drawings of a profile: how the values are distributed, and how they went over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.drawings import (
    Histogram,
    Markup,
    Percentiles,
    TopValue,
    completeness_bar,
    histogram,
    histogram_table,
    percentile_bar,
)
from catalog.drawings import top_values as draw_top_values
from catalog.models import FeatureProfile
from catalog.presentation import format_number, format_rough_span, format_share, format_value
from catalog.terms import word_of
from catalog.wording import Promise, gettext_lazy
from catalog.wording import gettext as _

Rows = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Figure:
    """A drawing and the table that says the same."""

    drawing: Markup
    caption: str
    headings: tuple[str, ...] = ()
    rows: Rows | None = None


def histogram_of(
    profile: FeatureProfile,
    *,
    name: str,
    baseline: FeatureProfile | None = None,
    width: float = 760,
    height: float = 200,
) -> Figure | None:
    """The histogram of the newest values, with that of ``baseline`` as an outline; None where there is none."""
    edges, counts = profile.histogram.get("edges") or [], profile.histogram.get("counts") or []
    if not counts:
        return None
    reference = None if baseline is None else _stored(baseline)
    if reference is not None and baseline is not None:
        earlier = format_rough_span(profile.computed_at - baseline.computed_at)
        caption = _("Bars: the newest value of every entity. Dashed: %(span)s earlier.") % {"span": earlier}
    else:
        caption = _("The newest value of every entity.")
    if profile.mean_value is not None:
        mean = _("The line is the mean, %(mean)s.") % {"mean": format_number(profile.mean_value)}
        caption = f"{caption} {mean}"
    drawn = histogram(
        edges=edges,
        counts=counts,
        title=_("Distribution of %s") % name,
        description=_("%(count)s values, %(low)s to %(high)s.")
        % {
            "count": f"{sum(counts):,}",
            "low": format_value(profile.min_value),
            "high": format_value(profile.max_value),
        },
        width=width,
        height=height,
        reference=reference,
        mark=profile.mean_value,
    )
    table = histogram_table(edges=edges, counts=counts, reference=reference)
    return Figure(drawing=drawn, caption=caption, headings=table.headings, rows=table.rows)


def _stored(profile: FeatureProfile) -> Histogram | None:
    edges, counts = profile.histogram.get("edges") or [], profile.histogram.get("counts") or []
    return Histogram(edges=edges, counts=counts) if counts else None


def top_values_of(profile: FeatureProfile, *, name: str, width: float = 560, most: int | None = None) -> Figure | None:
    """The most frequent values, at most ``most``; None where the profile has none."""
    tops = [(format_value(one.get("value")), int(one.get("count", 0))) for one in profile.top_values[:most]]
    if not tops:
        return None
    total = profile.row_count - profile.null_count
    drawn = draw_top_values(
        values=[TopValue(label=label, count=count) for label, count in tops],
        total=total,
        title=_("Most frequent values of %s") % name,
        description=_("Of %(count)s values.") % {"count": f"{total:,}"},
        width=width,
    )
    rows: Rows = [(label, f"{count:,}", format_share(count / total if total else None)) for label, count in tops]
    headings = (_("Value"), _("Rows"), _("Share"))
    return Figure(drawing=drawn, caption=_("The most frequent values."), headings=headings, rows=rows)


def quantiles_of(profile: FeatureProfile, *, name: str) -> Figure | None:
    """Box and table of the quantiles; None where the profile has none."""
    quantiles = sorted((float(share), value) for share, value in profile.quantiles.items() if value is not None)
    if not quantiles:
        return None
    by_share = dict(quantiles)
    points = (
        _number(profile.min_value),
        *(by_share.get(share) for share in (0.25, 0.5, 0.75)),
        _number(profile.max_value),
    )
    known = [float(point) for point in points if point is not None]
    drawn = Markup("")
    if len(known) == len(points):
        drawn = percentile_bar(
            percentiles=Percentiles(*known),
            title=_("Quartiles of %s") % name,
            description=_("Half of the values lie between %(low)s and %(high)s.")
            % {"low": format_number(known[1]), "high": format_number(known[3])},
            width=760,
        )
    rows: Rows = [(f"{share * 100:g}%", format_value(value)) for share, value in quantiles]
    return Figure(drawing=drawn, caption=_("Quantiles."), headings=(_("Share below"), _("Value")), rows=rows)


@dataclass(frozen=True)
class QualityBar:
    """One measure of quality against its threshold."""

    name: str
    meaning: str
    share: float | None
    threshold: float | None
    drawing: Markup

    @property
    def falls_short(self) -> bool:
        return self.share is not None and self.threshold is not None and self.share < self.threshold


_MEASURES: tuple[tuple[str, Promise], ...] = (
    ("completeness", gettext_lazy("values that are there")),
    ("validity", gettext_lazy("values that keep every rule")),
    ("consistency", gettext_lazy("values whose type and format agree")),
)


def quality_bars(profile: FeatureProfile, *, thresholds: dict[str, float | None]) -> list[QualityBar]:
    """Completeness, validity and consistency of a profile."""
    bars = []
    for measure, meaning in _MEASURES:
        name, share, threshold = word_of(measure), getattr(profile, measure), thresholds.get(measure)
        enough = _("At least %(share)s is good enough.") % {"share": format_share(threshold)}
        drawn = completeness_bar(
            share=share,
            threshold=threshold,
            title=f"{name}: {format_share(share)}",
            description=_("not measured") if threshold is None else enough,
            width=200,
        )
        bars.append(QualityBar(name=name, meaning=str(meaning), share=share, threshold=threshold, drawing=drawn))
    return bars


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None

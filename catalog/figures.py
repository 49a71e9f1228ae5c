"""The drawings of a profile: how the values are distributed, and how they went over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.drawings import Bin, Markup, Percentiles, TopValue, bins_of, completeness_bar, histogram, percentile_bar
from catalog.drawings import sparkline as draw_sparkline
from catalog.drawings import top_values as draw_top_values
from catalog.models import FeatureProfile
from catalog.presentation import format_instant, format_number, format_share, format_value

Rows = list[tuple[str, ...]]


@dataclass(frozen=True)
class Figure:
    """A drawing and the table that says the same."""

    drawing: Markup
    caption: str
    headings: tuple[str, ...] = ()
    rows: Rows | None = None


@dataclass(frozen=True)
class HistogramFigure:
    drawing: Markup
    bins: tuple[Bin, ...]
    caption: str


def histogram_of(
    profile: FeatureProfile, *, name: str, width: float = 560, height: float = 190
) -> HistogramFigure | None:
    """The histogram of the newest values; None where the profile has none."""
    edges, counts = profile.histogram.get("edges") or [], profile.histogram.get("counts") or []
    if not counts:
        return None
    bins = bins_of(edges=edges, counts=counts)
    drawn = histogram(
        edges=edges,
        counts=counts,
        title=f"Distribution of {name}",
        description=f"{sum(counts):,} values, {format_value(profile.min_value)} to {format_value(profile.max_value)}.",
        width=width,
        height=height,
        mark=profile.mean_value,
    )
    mean = "" if profile.mean_value is None else f"; the line is the mean, {format_number(profile.mean_value)}"
    return HistogramFigure(drawing=drawn, bins=bins, caption=f"The newest value of every entity{mean}.")


def top_values_of(profile: FeatureProfile, *, name: str, width: float = 560) -> Figure | None:
    """The most frequent values; None where the profile has none."""
    tops = [(format_value(one.get("value")), int(one.get("count", 0))) for one in profile.top_values]
    if not tops:
        return None
    total = profile.row_count - profile.null_count
    drawn = draw_top_values(
        values=[TopValue(label=label, count=count) for label, count in tops],
        total=total,
        title=f"Most frequent values of {name}",
        description=f"Of {total:,} values.",
        width=width,
    )
    rows: Rows = [(label, f"{count:,}", format_share(count / total if total else None)) for label, count in tops]
    return Figure(drawing=drawn, caption="The most frequent values.", headings=("Value", "Rows", "Share"), rows=rows)


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
            title=f"Quartiles of {name}",
            description=f"Half of the values lie between {format_number(known[1])} and {format_number(known[3])}.",
            width=560,
        )
    rows: Rows = [(f"{share * 100:g}%", format_value(value)) for share, value in quantiles]
    return Figure(drawing=drawn, caption="Quantiles.", headings=("Share below", "Value"), rows=rows)


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


_MEASURES = (
    ("completeness", "values that are there"),
    ("validity", "values that keep every rule"),
    ("consistency", "values whose type and format agree"),
)


def quality_bars(profile: FeatureProfile, *, thresholds: dict[str, float | None]) -> list[QualityBar]:
    """Completeness, validity and consistency of a profile."""
    bars = []
    for measure, meaning in _MEASURES:
        share, threshold = getattr(profile, measure), thresholds.get(measure)
        drawn = completeness_bar(
            share=share,
            threshold=threshold,
            title=f"{measure}: {format_share(share)}",
            description="not measured" if threshold is None else f"At least {format_share(threshold)} is good enough.",
            width=200,
        )
        bars.append(QualityBar(name=measure, meaning=meaning, share=share, threshold=threshold, drawing=drawn))
    return bars


def trends_of(profiles: Sequence[FeatureProfile], *, numeric: bool) -> list[Figure]:
    """How completeness, row count and (of numbers) the mean went; ``profiles`` oldest first, at least two."""
    if len(profiles) < 2:
        return []
    kept: list[tuple[str, list[float | None]]] = [
        ("completeness", [profile.completeness for profile in profiles]),
        ("entities", [float(profile.row_count) for profile in profiles]),
    ]
    if numeric:
        kept.append(("mean", [profile.mean_value for profile in profiles]))
    return [_trend(name, values, profiles) for name, values in kept]


def _trend(name: str, values: list[float | None], profiles: Sequence[FeatureProfile]) -> Figure:
    shown = [format_share(value) if name == "completeness" else format_number(value) for value in values]
    drawn = draw_sparkline(
        values=values,
        title=f"{name} over the last {len(values)} profiles",
        description=f"From {shown[0]} to {shown[-1]}.",
        width=220,
        height=44,
    )
    rows: Rows = [(format_instant(p.computed_at), text) for p, text in zip(profiles, shown, strict=True)]
    return Figure(drawing=drawn, caption=f"{name}: {shown[0]} → {shown[-1]}", headings=("Computed", name), rows=rows)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None

"""How the profiles of a feature went over time: one mark per run, with its page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from catalog.drawings import Point, Threshold, line_chart, line_table
from catalog.figures import Figure
from catalog.models import FeatureProfile
from catalog.presentation import format_number, format_share
from catalog.wording import gettext as _


def trends_of(profiles: Sequence[FeatureProfile], *, numeric: bool, complete: float | None) -> list[Figure]:
    """Null rate (against what the threshold ``complete`` leaves), entities and, of numbers, the mean over time.

    ``profiles`` oldest first; nothing with fewer than two.
    """
    if len(profiles) < 2:
        return []
    limit = [] if complete is None else [Threshold(1 - complete, _("limit"))]
    figures = [
        _trend(_("Null rate"), profiles, _null_rate, shares=True, thresholds=limit, linked=True),
        _trend(_("Entities"), profiles, lambda profile: float(profile.row_count)),
    ]
    if numeric and any(profile.mean_value is not None for profile in profiles):
        figures.append(_trend(_("Mean"), profiles, lambda profile: profile.mean_value))
    return figures


def run_href(run_id: str | None) -> str | None:
    """The page of the run, which is of an app above; None for what no run of this store made."""
    with suppress(ValueError, NoReverseMatch):
        return reverse("ingestion:run", args=[UUID(run_id or "")])
    return None


def _null_rate(profile: FeatureProfile) -> float | None:
    return profile.null_count / profile.row_count if profile.row_count else None


def _trend(
    name: str,
    profiles: Sequence[FeatureProfile],
    value_of: Callable[[FeatureProfile], float | None],
    *,
    shares: bool = False,
    thresholds: Sequence[Threshold] = (),
    linked: bool = False,
) -> Figure:
    points = [
        Point(
            at=one.computed_at,
            value=value_of(one),
            label=_("run") if one.run_id else "",
            # The same runs in each chart: one of them leads there, and who goes by keyboard passes them once.
            href=run_href(one.run_id) if linked else None,
        )
        for one in profiles
    ]
    shown = [format_share(point.value) if shares else format_number(point.value) for point in (points[0], points[-1])]
    drawn = line_chart(
        points=points,
        thresholds=thresholds,
        shares=shares,
        title=_("%(name)s over the last %(count)s profiles") % {"name": name, "count": len(points)},
        description=_("From %(low)s to %(high)s.") % {"low": shown[0], "high": shown[1]},
        width=420,
        height=130,
    )
    table = line_table(points=points, thresholds=thresholds, shares=shares)
    caption = f"{name}: {shown[0]} → {shown[1]}"
    return Figure(drawing=drawn, caption=caption, headings=table.headings, rows=table.rows)

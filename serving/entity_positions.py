"""Where one value stands among those of all entities, from the stored quantiles of its feature."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Any

from catalog.drawings import Markup, Percentiles, percentile_bar
from catalog.models import FeatureProfile
from catalog.presentation import format_number
from catalog.wording import gettext as _


def position_in(profile: FeatureProfile | None, value: Any, *, name: str) -> tuple[Markup, str] | None:
    """A small bar with the value marked, and the same in words; None for what is no number or has no quantiles."""
    if profile is None or not _is_number(value):
        return None
    quantiles = {float(share): one for share, one in profile.quantiles.items() if _is_number(one)}
    points: list[Any] = [profile.min_value, *(quantiles.get(share) for share in (0.25, 0.5, 0.75)), profile.max_value]
    known = [float(point) for point in points if _is_number(point)]
    if len(known) != len(points) or known != sorted(known):
        return None
    words = _words(float(value), {0.0: known[0], **quantiles, 1.0: known[-1]})
    drawn = percentile_bar(
        percentiles=Percentiles(*known),
        mark=float(value),
        labels=False,
        width=150,
        height=22,
        title=_("%(value)s among all values of %(name)s") % {"value": format_number(value), "name": name},
        description=words,
    )
    return drawn, words


def _words(value: float, quantiles: dict[float, float]) -> str:
    shares = sorted(quantiles)
    levels = [float(quantiles[share]) for share in shares]
    if value < levels[0]:
        return _("below all")
    if value > levels[-1]:
        return _("above all")
    below = shares[max(bisect_right(levels, value) - 1, 0)]
    above = shares[min(bisect_left(levels, value), len(shares) - 1)]
    low, high = min(below, above), max(below, above)
    if low == high:
        return _("at %(share)s") % {"share": f"{low * 100:g}%"}
    return f"{low * 100:g}–{high * 100:g}%"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

"""How far two stored distributions lie apart (pure: no Django).

The measure is the population stability index, as in the drift rule of ingestion; here both sides are histograms, so
that the values of the second are spread evenly within its bins.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

_FLOOR = 1e-4  # of a share, so that an empty bin does not make the index infinite
_BINS = 10


def stability_index(before: Mapping[str, Any], now: Mapping[str, Any]) -> float | None:
    """The index between two histograms ``{"edges": […], "counts": […]}``; None where one of them is empty.

    It is summed over ten bins that hold about as many of the earlier values each.
    """
    first, second = _cumulated(before), _cumulated(now)
    if first is None or second is None:
        return None
    inner = sorted({_quantile(first, share / _BINS) for share in range(1, _BINS)})
    shares_before = _shares(first, inner)
    shares_now = _shares(second, inner)
    return sum((b - a) * math.log(b / a) for a, b in zip(shares_before, shares_now, strict=True))


def _cumulated(histogram: Mapping[str, Any]) -> tuple[list[float], list[float]] | None:
    """Edges, and the share of values below each of them."""
    edges = [float(edge) for edge in histogram.get("edges") or ()]
    counts = [float(count) for count in histogram.get("counts") or ()]
    total = sum(counts)
    if total <= 0 or len(edges) != len(counts) + 1:
        return None
    below = [0.0]
    for count in counts:
        below.append(below[-1] + count / total)
    return edges, below


def _quantile(cumulated: tuple[list[float], list[float]], share: float) -> float:
    edges, below = cumulated
    place = min(max(bisect_right(below, share), 1), len(edges) - 1)
    span = below[place] - below[place - 1]
    part = (share - below[place - 1]) / span if span > 0 else 0.0
    return edges[place - 1] + part * (edges[place] - edges[place - 1])


def _shares(cumulated: tuple[list[float], list[float]], inner: Sequence[float]) -> list[float]:
    cuts = [0.0, *(_share_below(cumulated, cut) for cut in inner), 1.0]
    return [max(upper - lower, _FLOOR) for lower, upper in zip(cuts, cuts[1:], strict=False)]


def _share_below(cumulated: tuple[list[float], list[float]], value: float) -> float:
    edges, below = cumulated
    if value <= edges[0]:
        return 0.0
    if value >= edges[-1]:
        return 1.0
    place = bisect_right(edges, value)
    span = edges[place] - edges[place - 1]
    part = (value - edges[place - 1]) / span if span > 0 else 1.0
    return below[place - 1] + part * (below[place] - below[place - 1])

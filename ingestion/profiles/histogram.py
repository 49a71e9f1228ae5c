"""Histograms with few, readable bins (pure: no Django)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_BINS = 30
_WIDEST = 1e300  # beyond it the edges themselves would overflow


def histogram_of(numbers: npt.NDArray[np.float64]) -> dict[str, list[Any]]:
    """``{"edges": […], "counts": […]}`` of finite numbers, one edge more than counts; empty without numbers, and
    for a span that a float cannot divide.

    The width is that of Freedman and Diaconis (1981), 2 · IQR / n^(1/3), with at most thirty bins. Whole numbers
    get bins around whole numbers. Numbers that are all the same get one bin from that number to itself.
    """
    if not len(numbers):
        return {}
    low, high = float(numbers.min()), float(numbers.max())
    span = high - low
    if not span < _WIDEST:
        return {}
    if span == 0:
        return {"edges": [low, high], "counts": [len(numbers)]}
    whole = bool(np.all(numbers == np.floor(numbers))) and high < 2**52 and low > -(2**52)
    edges = _whole_edges(low, span, numbers) if whole else np.linspace(low, high, _bins(numbers, span) + 1)
    # A span of a few representable numbers cannot be cut into bins of its own.
    if not np.all(np.diff(edges) > 0):
        return {"edges": [low, high], "counts": [len(numbers)]}
    counts, _ = np.histogram(numbers, bins=edges)
    return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}


def _bins(numbers: npt.NDArray[np.float64], span: float) -> int:
    lower, upper = np.quantile(numbers, (0.25, 0.75))
    width = 2 * float(upper - lower) / len(numbers) ** (1 / 3)
    # A span beside a width near nothing is beyond what a float can tell, and an integer.
    wanted = min(MOST_BINS, span / width) if width > 0 else MOST_BINS
    return max(1, math.ceil(wanted))


def _whole_edges(low: float, span: float, numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values = int(span) + 1
    step = 1 if values <= MOST_BINS else max(1, math.ceil(values / _bins(numbers, span)))
    bins = math.ceil(values / step)
    return low - 0.5 + step * np.arange(bins + 1, dtype=np.float64)

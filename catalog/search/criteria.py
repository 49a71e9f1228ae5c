"""What is searched for: words, and restrictions given as parameters or typed as tokens (pure)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from catalog.search.columns import Mask
from catalog.search.segment import Segment
from catalog.wording import gettext as _

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Choice:
    """Only features with any of ``values``; of tags, with all of them unless ``is_any``."""

    parameter: str
    values: tuple[str, ...]
    is_any: bool = True
    typed: tuple[str, ...] = ()

    def mask(self, segment: Segment, at: datetime) -> Mask:  # noqa: ARG002  (the same call as of a bound)
        """The rows that fit."""
        if self.parameter != "tag":
            return segment.coded[self.parameter].any_of(self.values)
        having = [segment.tags.having(value) for value in self.values]
        mask: Mask = np.logical_or.reduce(having) if self.is_any else np.logical_and.reduce(having)
        return mask


@dataclass(frozen=True)
class Bound:
    """Only features whose newest value is so many seconds old (``fresh``), or whose share of nulls is such (``null``).

    What was never measured does not fit.
    """

    parameter: str
    comparison: str
    amount: float
    text: str
    typed: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        return (self.text,)

    def mask(self, segment: Segment, at: datetime) -> Mask:
        """The rows that fit."""
        if self.parameter == "fresh":
            measured = at.timestamp() - segment.numbers["newest_event"]
        else:
            measured = 1 - segment.numbers["completeness"]
        with np.errstate(invalid="ignore"):
            fits: Mask = np.asarray(COMPARISONS[self.comparison](measured.round(9), self.amount), np.bool_)
        return fits & ~np.isnan(measured)


Restriction = Choice | Bound


@dataclass(frozen=True)
class Criteria:
    """``text`` are the words as they were typed, without the tokens; every restriction must fit."""

    text: str = ""
    restrictions: tuple[Restriction, ...] = ()
    ordering: tuple[str, ...] = ()
    needs_version: bool = False
    unread: Sequence[str] = field(default=())


_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(<=|>=|<|>)?\s*(\d{1,6}(?:\.\d{1,3})?)\s*(m|h|d|w)")
_SHARE = re.compile(r"(<=|>=|<|>)?\s*(\d{1,3}(?:\.\d{1,6})?)\s*(%)?")


def read_age(text: str, *, typed: tuple[str, ...] = ()) -> Bound:
    """A bound on the age of the newest value, such as ``<1d``; without a comparison, at most so old.

    :raises ValueError: when it is not such a text; the message says how one is written.
    """
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(
            _("%(text)r is no age: write fresh:<1d, with m, h, d or w, and < or > before the number") % {"text": text}
        )
    comparison, number, unit = found.groups()
    shown = f"{comparison or '<='}{number}{unit}"
    return Bound("fresh", comparison or "<=", float(number) * _SECONDS[unit], shown, typed)


def read_share(text: str, *, typed: tuple[str, ...] = ()) -> Bound:
    """A bound on the share of nulls, such as ``<1%``; without a comparison, at most so many.

    :raises ValueError: when it is not such a text; the message says how one is written.
    """
    found = _SHARE.fullmatch(text.strip())
    if found is None or found[3] is None or float(found[2]) > 100:
        raise ValueError(
            _("%(text)r is no share: write null:<1%%, from 0%% to 100%%, with < or > before the number")
            % {"text": text}
        )
    comparison, number = found[1] or "<=", found[2]
    return Bound("null", comparison, float(number) / 100, f"{comparison}{number}%", typed)

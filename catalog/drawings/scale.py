"""From values to coordinates, and values as short text."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MAX_TICKS = 20


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps the finite domain ``low``..``high`` to ``start``..``end``; what is outside is clamped."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        # Halves, because a domain as wide as the floats would overflow.
        span = self.high / 2 - self.low / 2
        if span <= 0:
            return (self.start + self.end) / 2
        share = min(max((value / 2 - self.low / 2) / span, 0.0), 1.0)
        return self.start + share * (self.end - self.start)


def finite(values: Iterable[float | None]) -> list[float]:
    """The values that are numbers and finite, in order."""
    return [float(value) for value in values if value is not None and math.isfinite(value)]


def nice_ticks(low: float, high: float, *, about: int = 4) -> tuple[float, ...]:
    """Round values (1, 2 or 5 times a power of ten) within low..high, or its ends if there are none."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return (low,) if low == high else (low, high)
    rough = span / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else 0.0
    step = next((power * factor for factor in (1, 2, 5) if power * factor >= rough), power * 10)
    if step <= 0 or not math.isfinite(low / step):
        return (low, high)
    first = math.ceil(low / step)
    ticks = [(first + index) * step for index in range(_MAX_TICKS)]
    inside = sorted({tick for tick in ticks if low <= tick <= high})
    return tuple(inside) if len(inside) > 1 else (low, high)


def short_number(value: float, *, digits: int = 3) -> str:
    """``value`` in about ``digits`` significant digits: 1,250, 12.5k, 3.2M, 1e-07; an en dash for NaN."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    sign = "−" if value < 0 else ""
    if size != 0 and (size < 1e-4 or size >= 1e15):
        return sign + f"{size:.{digits}g}"
    for unit, suffix in _UNITS:
        if size >= unit * (10 if suffix == "k" else 1):
            return f"{sign}{_plain(size / unit, digits)}{suffix}"
    return sign + _plain(size, max(digits, 4))


def _plain(size: float, digits: int) -> str:
    before = len(str(int(size)))
    shown = f"{size:,.{min(max(digits - before, 0), 17)}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def distinct_labels(values: Sequence[float]) -> list[str]:
    """Short labels with as many digits as it takes to tell neighbouring values apart."""
    labels: list[str] = []
    for digits in (3, 4, 6, 9, 12, 17):
        labels = [short_number(value, digits=digits) for value in values]
        if len(set(labels)) == len(set(values)):
            break
    return labels


def percentage(share: float) -> str:
    """A share of one as text; 99.97 % is not shown as 100 %, nor 0.02 % as 0 %."""
    percent = share * 100
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{percent:.1f}".removesuffix(".0") + "%"

"""Numbers, spans and instants as people read them (pure: no Django)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

NONE = "–"
_STEPS = ((31_557_600, "year"), (2_629_800, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_LONGEST = 120


def format_number(value: float | None) -> str:
    """A number with its thousands apart and about six digits after small heads: 10,000, 76,485.889, 0.0312."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return NONE if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    size = abs(value)
    if size >= 1e15 or size < 1e-4:
        return f"{value:.4g}".replace("-", "−", 1) if value < 0 else f"{value:.4g}"
    text = f"{value:,.3f}" if size >= 1 else f"{value:.4g}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def format_value(value: Any) -> str:
    """A JSON value of any feature type in one short line."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return format_number(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(frozen=True)
class Fact:
    """One thing that a report says; ``inner`` holds the parts of a nested one."""

    name: str
    text: str
    inner: tuple[Fact, ...] = ()


def facts_of(said: Mapping[str, Any]) -> tuple[Fact, ...]:
    """What a mapping says, its names as words; a nested mapping becomes the inner facts of one, empty parts go."""
    facts = []
    for name, value in said.items():
        if value is None or value == "" or value == {} or value == []:
            continue
        words = name.replace("_", " ").capitalize()
        if isinstance(value, Mapping):
            inner = tuple(Fact(name=str(key).replace("_", " "), text=format_value(one)) for key, one in value.items())
            facts.append(Fact(name=words, text="", inner=inner))
        elif isinstance(value, list) and all(isinstance(one, (str, int, float)) for one in value):
            facts.append(Fact(name=words, text=", ".join(format_value(one) for one in value)))
        else:
            facts.append(Fact(name=words, text=format_value(value)))
    return tuple(facts)


def format_share(share: float | None) -> str:
    """A share of one in percent; what is not quite all or nothing is not shown as such."""
    if share is None or not math.isfinite(share):
        return NONE
    percent = share * 100
    if 0 < percent < 0.01:
        return "<0.01%"
    if 99.99 < percent < 100:
        return ">99.99%"
    return f"{percent:.2f}".rstrip("0").rstrip(".") + "%"


def format_bytes(count: int | None) -> str:
    """A size in binary units: 512 B, 1.4 MiB."""
    if count is None:
        return NONE
    size, unit = float(count), 0
    while size >= 1024 and unit < len(_BYTES) - 1:
        size, unit = size / 1024, unit + 1
    return f"{int(size)} B" if unit == 0 else f"{size:.1f} {_BYTES[unit]}"


def format_span(span: timedelta | None) -> str:
    """A time span in its two largest units: 2 days 3 hours, 1 minute 5 seconds, 0.42 seconds."""
    if span is None:
        return NONE
    seconds = span.total_seconds()
    if seconds < 10:
        text = f"{max(seconds, 0):.2f}".rstrip("0").rstrip(".")
        return f"{text} second" + ("" if text == "1" else "s")
    rest, parts = round(seconds), []
    for size, unit in _STEPS[2:]:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,} {unit}" + ("" if count == 1 else "s"))
        elif parts:
            break
    return " ".join(parts[:2])


def format_age(instant: datetime | None, *, at: datetime) -> str:
    """How long before (or after) ``at`` something was: 3 hours ago, in 2 days, just now, never."""
    if instant is None:
        return "never"
    seconds = (at - instant).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    for size, unit in _STEPS:
        count = int(abs(seconds) // size)
        if count:
            words = f"{count} {unit}" + ("" if count == 1 else "s")
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "just now"


def format_instant(instant: datetime | None) -> str:
    """``2025-06-01 12:00:00 UTC``."""
    return NONE if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

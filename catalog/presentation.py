"""Numbers, spans and instants as people read them, in their language (pure: no Django but for the words)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.wording import gettext as _
from catalog.wording import ngettext

NONE = "–"
# (seconds, how so many are said, how long ago they are, in how long they are)
_Said = Callable[[int], str]
_STEPS: tuple[tuple[int, _Said, _Said, _Said], ...] = (
    (
        31_557_600,
        lambda count: ngettext("%(count)s year", "%(count)s years", count),
        lambda count: ngettext("%(count)s year ago", "%(count)s years ago", count),
        lambda count: ngettext("in %(count)s year", "in %(count)s years", count),
    ),
    (
        2_629_800,
        lambda count: ngettext("%(count)s month", "%(count)s months", count),
        lambda count: ngettext("%(count)s month ago", "%(count)s months ago", count),
        lambda count: ngettext("in %(count)s month", "in %(count)s months", count),
    ),
    (
        86_400,
        lambda count: ngettext("%(count)s day", "%(count)s days", count),
        lambda count: ngettext("%(count)s day ago", "%(count)s days ago", count),
        lambda count: ngettext("in %(count)s day", "in %(count)s days", count),
    ),
    (
        3_600,
        lambda count: ngettext("%(count)s hour", "%(count)s hours", count),
        lambda count: ngettext("%(count)s hour ago", "%(count)s hours ago", count),
        lambda count: ngettext("in %(count)s hour", "in %(count)s hours", count),
    ),
    (
        60,
        lambda count: ngettext("%(count)s minute", "%(count)s minutes", count),
        lambda count: ngettext("%(count)s minute ago", "%(count)s minutes ago", count),
        lambda count: ngettext("in %(count)s minute", "in %(count)s minutes", count),
    ),
    (
        1,
        lambda count: ngettext("%(count)s second", "%(count)s seconds", count),
        lambda count: ngettext("%(count)s second ago", "%(count)s seconds ago", count),
        lambda count: ngettext("in %(count)s second", "in %(count)s seconds", count),
    ),
)
_SECONDS = _STEPS[-1][1]
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_LONGEST = 120
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,9})?(?:Z|\+00:00)")


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
    text = _instant_of(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _instant_of(text: str) -> str:
    """An instant as JSON writes it, as all instants of the pages are written; any other text as it is."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        return text
    day, time, fraction = found.groups()
    fraction = (fraction or "").rstrip("0")
    return f"{day} {time}{fraction if len(fraction) > 1 else ''} UTC"


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


def format_span(span: timedelta | None, *, units: int = 2) -> str:
    """A time span in its largest units: 2 days 3 hours, 1 minute 5 seconds, 0.42 seconds."""
    if span is None:
        return NONE
    seconds = span.total_seconds()
    if seconds < 10:
        text = f"{max(seconds, 0):.2f}".rstrip("0").rstrip(".")
        return _SECONDS(int(text) if text.isdigit() else 2) % {"count": text}
    rest, parts = round(seconds), []
    for size, said, _ago, _ahead in _STEPS[2:]:
        count, rest = divmod(rest, size)
        if count:
            parts.append(said(count) % {"count": f"{count:,}"})
        elif parts:
            break
    return " ".join(parts[:units])


def format_age(instant: datetime | None, *, at: datetime) -> str:
    """How long before (or after) ``at`` something was: 3 hours ago, in 2 days, just now, never."""
    if instant is None:
        return _("never")
    seconds = (at - instant).total_seconds()
    if abs(seconds) >= 5:
        for size, _said, ago, ahead in _STEPS:
            count = int(abs(seconds) // size)
            if count:
                return (ago if seconds > 0 else ahead)(count) % {"count": count}
    return _("just now")


def format_rough_span(span: timedelta) -> str:
    """A time span in its largest unit: 3 hours."""
    seconds = span.total_seconds()
    for size, said, _ago, _ahead in _STEPS:
        count = int(seconds // size)
        if count:
            return said(count) % {"count": count}
    return _("a moment")


def format_instant(instant: datetime | None) -> str:
    """``2025-06-01 12:00:00 UTC``."""
    return NONE if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

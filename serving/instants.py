"""Times as they are written in requests and answers (pure: no Django)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

from catalog.errors import InvalidInput
from catalog.wording import gettext as _

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_WITHOUT_ITS_LAST = timedelta(days=1) - timedelta(microseconds=1)
_FORM = "write ISO 8601 with a zone, such as 2025-01-31T12:00:00Z, or a date"


def parse_instant(value: object, *, name: str, bound: Literal["start", "end"] = "start") -> datetime:
    """An aware UTC datetime from ISO 8601 text; a bare date is that UTC day, its first or last microsecond.

    :raises InvalidInput: naming ``name``, for another form, a time without a zone, or one outside years 1 to 9999.
    """
    if isinstance(value, str):
        text = value.strip()
        day = _date(text)
        if day is not None:
            start = datetime.combine(day, time(), tzinfo=UTC)
            return start if bound == "start" else start + _DAY_WITHOUT_ITS_LAST
        try:
            moment = datetime.fromisoformat(text)
            if moment.utcoffset() is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        else:
            raise InvalidInput(
                _("%(name)s is %(text)r, which has no time zone; if it is UTC, write %(text)sZ")
                % {"name": name, "text": text},
                details={"field": name, "value": text},
            )
    raise InvalidInput(
        _("%(name)s is %(value)r, not a time; %(form)s") % {"name": name, "value": value, "form": _FORM},
        details={"field": name, "value": repr(value)},
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def iso_text(microseconds: int) -> str:
    """Microseconds since 1970 UTC as ISO 8601 with six decimals and ``Z``."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds").removesuffix(
        "+00:00"
    ) + "Z"

"""Cron lines of five fields (pure: no Django)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, crontab

from catalog.errors import InvalidInput


@dataclass(frozen=True)
class CronLine:
    """The fields of a cron line, in its order."""

    minute: str
    hour: str
    day_of_month: str
    month_of_year: str
    day_of_week: str

    @property
    def text(self) -> str:
        return f"{self.minute} {self.hour} {self.day_of_month} {self.month_of_year} {self.day_of_week}"


def parse_cron(line: str) -> CronLine:
    """``"0 */6 * * *"`` as its fields.

    :raises InvalidInput: when it is not five fields that the scheduler understands.
    """
    fields = line.split()
    try:
        if len(fields) != 5:
            raise ValueError(f"it has {len(fields)} fields")
        parsed = CronLine(*fields)
        _fields(parsed)
    except (ValueError, KeyError, ParseException) as error:
        raise InvalidInput(
            f"{line!r} is not a schedule ({error}); write minute hour day month weekday, such as '0 */6 * * *'",
            details={"schedule": line},
        ) from error
    return parsed


def instants_of(line: CronLine, *, start: datetime, end: datetime, zone: str = "UTC") -> list[datetime]:
    """When ``line``, which tells the time of ``zone``, was due from ``start`` to ``end``, both included; in UTC, oldest
    first. As the scheduler reads it, all five fields must fit; a time of day that a change of the clock leaves out is
    due an hour later, and one that it repeats the first time only.
    """
    fields, local = _fields(line), ZoneInfo(zone)
    day, last = start.astimezone(local).date(), end.astimezone(local).date()
    found: set[datetime] = set()
    while day <= last:
        if _falls_on(fields, day):
            found |= {
                datetime.combine(day, time(hour, minute), local).astimezone(UTC)
                for hour in fields.hour
                for minute in fields.minute
            }
        day += timedelta(days=1)
    return sorted(at for at in found if start <= at <= end)


def _falls_on(fields: Any, day: date) -> bool:
    # The scheduler counts the days of the week from Sunday.
    weekday = day.isoweekday() % 7
    fits: bool = day.month in fields.month_of_year and day.day in fields.day_of_month and weekday in fields.day_of_week
    return fits


def _fields(line: CronLine) -> Any:
    """The sets of minutes, hours, days and months, of which the stubs of the scheduler do not tell."""
    return crontab(
        minute=line.minute,
        hour=line.hour,
        day_of_month=line.day_of_month,
        month_of_year=line.month_of_year,
        day_of_week=line.day_of_week,
    )

"""Cron lines of five fields, UTC (pure: no Django)."""

from __future__ import annotations

from dataclasses import dataclass

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


def parse_cron(line: str) -> CronLine:
    """``"0 */6 * * *"`` as its fields.

    :raises InvalidInput: when it is not five fields that the scheduler understands.
    """
    fields = line.split()
    try:
        if len(fields) != 5:
            raise ValueError(f"it has {len(fields)} fields")
        parsed = CronLine(*fields)
        crontab(
            minute=parsed.minute,
            hour=parsed.hour,
            day_of_month=parsed.day_of_month,
            month_of_year=parsed.month_of_year,
            day_of_week=parsed.day_of_week,
        )
    except (ValueError, KeyError, ParseException) as error:
        raise InvalidInput(
            f"{line!r} is not a schedule ({error}); write minute hour day month weekday, such as '0 */6 * * *'",
            details={"schedule": line},
        ) from error
    return parsed

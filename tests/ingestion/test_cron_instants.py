"""When a cron line was due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import crontab
from hypothesis import given
from hypothesis import strategies as st

from ingestion.cron import instants_of, parse_cron

END = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)


def due(line: str, *, zone: str = "UTC", start: datetime = END - DAY, end: datetime = END) -> list[str]:
    return [f"{at:%d %H:%M}" for at in instants_of(parse_cron(line), start=start, end=end, zone=zone)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 */6 * * *", ["03 18:00", "04 00:00", "04 06:00", "04 12:00"]),
        ("30 12 * * *", ["03 12:30", "04 12:30"]),
        ("15 2 * * 3", ["04 02:15"]),
        ("15 2 * * wed", ["04 02:15"]),
        ("15 2 * * 4", []),
        ("15 2 * * 0", []),
        ("0 0 4 * *", ["04 00:00"]),
        ("0 0 5 * *", []),
        ("0 0 4 4 *", []),
    ],
)
def test_the_times_of_a_day(line: str, expected: list[str]) -> None:
    assert due(line) == expected


def test_sunday_is_0_as_the_scheduler_counts() -> None:
    sunday = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    assert due("0 8 * * 0", start=sunday - DAY, end=sunday) == ["01 08:00"]


def test_the_line_tells_the_time_of_its_zone() -> None:
    assert due("0 8 * * *", zone="Europe/Berlin") == ["04 07:00"]
    # On 29 March 2026 the clocks of Berlin leave out the hour from 2 to 3, and a day has 23 hours.
    morning = datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert due("30 2 * * *", zone="Europe/Berlin", start=morning - DAY, end=morning) == ["29 01:30"]


def test_every_minute_is_1441_instants_with_both_ends() -> None:
    assert len(due("* * * * *")) == 1441


minutes = st.sampled_from(["*", "0", "*/7", "5,35", "10-20"])
hours = st.sampled_from(["*", "3", "*/5", "1-4", "0,23"])
days = st.sampled_from(["*", "4", "1-15", "*/2"])
months = st.sampled_from(["*", "3", "1-6", "4"])
weekdays = st.sampled_from(["*", "1-5", "0", "3", "sun,tue"])


@given(st.tuples(minutes, hours, days, months, weekdays))
def test_as_minute_by_minute(fields: tuple[str, ...]) -> None:
    line = " ".join(fields)
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    told = crontab(**dict(zip(names, fields, strict=True)))
    every = [END - DAY + timedelta(minutes=at) for at in range(1441)]
    expected = [
        at
        for at in every
        if at.minute in told.minute
        and at.hour in told.hour
        and at.day in told.day_of_month
        and at.month in told.month_of_year
        and at.isoweekday() % 7 in told.day_of_week
    ]
    assert instants_of(parse_cron(line), start=END - DAY, end=END) == expected

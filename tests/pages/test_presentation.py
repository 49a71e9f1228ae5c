"""Numbers, spans and ages as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.presentation import (
    facts_of,
    format_age,
    format_bytes,
    format_number,
    format_share,
    format_span,
    format_value,
)

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (-1234567, "−1,234,567"),
        (76485.889, "76,485.889"),
        (250898.09, "250,898.09"),
        (0.03125, "0.03125"),
        (0.00001234, "1.234e-05"),
        (-2.5, "−2.5"),
        (1e300, "1e+300"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
        (9007199254740993, "9.007e+15"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "true"),
        ("nan", "nan"),
        ([1, 2.5], "[1, 2.5]"),
        ("x" * 200, "x" * 119 + "…"),
        ("2026-11-25T23:40:00+00:00", "2026-11-25 23:40:00 UTC"),
        ("2026-11-01T21:33:00.000000Z", "2026-11-01 21:33:00 UTC"),
        ("2026-11-01T21:33:00.250000Z", "2026-11-01 21:33:00.25 UTC"),
        ("2026-11-01T21:33:00+02:00", "2026-11-01T21:33:00+02:00"),
    ],
)
def test_values(value: object, text: str) -> None:
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "–"), (1.0, "100%"), (0.99999, ">99.99%"), (0.00001, "<0.01%"), (0.9545, "95.45%"), (0.0, "0%")],
)
def test_shares(share: float | None, text: str) -> None:
    assert format_share(share) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, "–"),
        (timedelta(seconds=0.42), "0.42 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=65), "1 minute 5 seconds"),
        (timedelta(days=30), "30 days"),
        (timedelta(days=1, seconds=30), "1 day"),
        (timedelta(days=2, hours=3, minutes=5), "2 days 3 hours"),
    ],
)
def test_spans(span: timedelta | None, text: str) -> None:
    assert format_span(span) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=400), "1 year ago"),
        (timedelta(hours=-3), "in 3 hours"),
    ],
)
def test_ages(before: timedelta, text: str) -> None:
    assert format_age(AT - before, at=AT) == text


def test_a_span_in_its_largest_unit() -> None:
    assert format_span(timedelta(minutes=48, seconds=49), units=1) == "48 minutes"


def test_sizes() -> None:
    assert [format_bytes(size) for size in (None, 512, 1536, 3 * 2**40)] == ["–", "512 B", "1.5 KiB", "3.0 TiB"]


def test_facts_of_a_report() -> None:
    said = {"raw_columns": ["a", "b"], "formula": "", "statistics": {"row_count": 1000}, "is_active": True}
    assert [(fact.name, fact.text, len(fact.inner)) for fact in facts_of(said)] == [
        ("Raw columns", "a, b", 0),
        ("Statistics", "", 1),
        ("Is active", "true", 0),
    ]


@given(st.floats(allow_nan=True, allow_infinity=True) | st.integers(min_value=-(2**63), max_value=2**63))
def test_every_number_has_a_short_text(value: float) -> None:
    assert 0 < len(format_number(value)) <= 26

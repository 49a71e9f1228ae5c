"""Which earlier profile is compared with the newest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from catalog.baselines import choose_baseline
from catalog.errors import NotFound

NOW = datetime(2025, 3, 1, tzinfo=UTC)


@dataclass
class Kept:
    pk: int
    computed_at: datetime


PROFILES = [Kept(100 - days, NOW - timedelta(days=days)) for days in (0, 1, 6, 8, 29, 31, 40)]


@pytest.mark.parametrize(
    ("against", "days"), [("", 1), ("previous", 1), ("7d", 8), ("30d", 31), ("first", 40), ("94", 6), ("none", None)]
)
def test_by_word_or_by_id(against: str, days: int | None) -> None:
    chosen = choose_baseline(PROFILES, against)
    assert (None if chosen is None else (NOW - chosen.computed_at).days) == days


def test_before_the_second_there_is_none() -> None:
    assert [choose_baseline(PROFILES[:1], word) for word in ("", "first", "7d", "none")] == [None] * 4
    assert choose_baseline([], "") is None
    assert choose_baseline(PROFILES[:2], "30d") is None


@pytest.mark.parametrize("against", ["yesterday", "100", "7"])
def test_another_word_is_refused(against: str) -> None:
    with pytest.raises(NotFound, match="against is the id of one, or previous"):
        choose_baseline(PROFILES, against)

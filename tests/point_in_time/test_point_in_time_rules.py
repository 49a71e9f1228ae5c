"""Which value row answers which entity row, every rule as a named case."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from catalog.entity_keys import encode_entity_key
from catalog.errors import InvalidInput
from serving.point_in_time import (
    TimeRange,
    join_point_in_time,
)
from tests.point_in_time.tables import (
    EPOCH,
    MICROSECOND,
    NOON,
    TIMESTAMP,
    balances,
    entities,
    group,
    history,
    hours,
    value,
)


class TestWhichRowAnswers:
    def test_the_newest_at_or_before_the_time(self) -> None:
        rows = [value("a", hours(1), 1), value("a", hours(2), 2), value("a", hours(3), 3)]
        asked = [("a", hours(0.5)), ("a", hours(1.5)), ("a", hours(2.5)), ("a", hours(9))]
        assert balances(rows, asked) == [None, 1, 2, 3]

    def test_the_time_itself_is_included_to_the_microsecond(self) -> None:
        rows = [value("a", NOON, 1)]
        assert balances(rows, [("a", NOON - MICROSECOND), ("a", NOON)]) == [None, 1]

    def test_max_age_is_included_to_the_microsecond(self) -> None:
        rows = [value("a", NOON, 1)]
        asked = [("a", hours(24)), ("a", hours(24) + MICROSECOND)]
        assert balances(rows, asked, max_age=timedelta(hours=24)) == [1, None]

    def test_no_max_age_has_no_lower_bound(self) -> None:
        assert balances([value("a", EPOCH, 1)], [("a", hours(0))]) == [1]

    def test_max_age_of_zero_takes_only_the_same_instant(self) -> None:
        asked = [("a", NOON), ("a", NOON + MICROSECOND)]
        assert balances([value("a", NOON, 1)], asked, max_age=timedelta(0)) == [1, None]

    def test_every_row_is_judged_by_its_own_time(self) -> None:
        rows = [value("a", hours(0), 1), value("a", hours(48), 2)]
        asked = [("a", hours(60)), ("a", hours(30)), ("a", hours(1))]
        assert balances(rows, asked, max_age=timedelta(hours=24)) == [2, None, 1]

    def test_equal_events_are_decided_by_created_with_null_first(self) -> None:
        rows = [
            value("a", NOON, 2, created=hours(2)),
            value("a", NOON, 3, created=hours(3)),
            value("a", NOON, 1, arrival=99),
        ]
        assert balances(rows, [("a", NOON)]) == [3]
        assert balances([rows[2], rows[0]], [("a", NOON)]) == [2]

    def test_equal_created_is_decided_by_arrival_with_null_first(self) -> None:
        rows = [
            value("a", NOON, 2, created=NOON, arrival=(3 << 32) + 1),
            value("a", NOON, 3, created=NOON, arrival=(3 << 32) + 2),
            value("a", NOON, 1, created=NOON),
        ]
        assert balances(rows, [("a", NOON)]) == [3]
        assert balances(rows[::-1], [("a", NOON)]) == [3]
        assert balances([rows[2], rows[0]], [("a", NOON)]) == [2]

    def test_a_correction_with_an_older_event_does_not_win(self) -> None:
        rows = [value("a", hours(2), 2, created=hours(2)), value("a", hours(1), 1, created=hours(9), arrival=9)]
        assert balances(rows, [("a", hours(10))]) == [2]

    def test_a_null_at_the_latest_event_is_the_answer(self) -> None:
        rows = [value("a", hours(1), 1), value("a", hours(2), None)]
        assert balances(rows, [("a", hours(3))], default=7) == [None]

    def test_the_default_stands_in_only_without_an_eligible_row(self) -> None:
        rows = [value("a", hours(1), 1), value("b", hours(1), None)]
        asked = [("a", hours(2)), ("b", hours(2)), ("c", hours(2)), ("a", hours(0)), ("a", hours(99))]
        assert balances(rows, asked, default=7, max_age=timedelta(hours=5)) == [1, None, 7, 7, 7]


class TestKeys:
    def test_composite_keys_do_not_collide(self) -> None:
        first, second = encode_entity_key(["1", "23"]), encode_entity_key(["12", "3"])
        rows = [value(first, NOON, 1), value(second, NOON, 2)]
        assert balances(rows, [(second, NOON), (first, NOON)]) == [2, 1]

    def test_keys_compare_exactly(self) -> None:
        rows = [value("A", NOON, 1), value("a ", NOON, 2), value("ä", NOON, 3), value("01", NOON, 4)]
        asked = [("a", NOON), ("A", NOON), ("a ", NOON), ("a\u0308", NOON), ("ä", NOON), ("1", NOON)]
        assert balances(rows, asked) == [None, 1, 2, None, 3, None]

    @pytest.mark.parametrize(
        "key_type", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())], ids=str
    )
    def test_key_columns_of_every_text_type(self, key_type: pa.DataType) -> None:
        asked = entities([("b", NOON), ("a", NOON), (None, NOON)])
        asked = asked.set_column(0, "key", asked.column("key").cast(key_type))
        stored = history([value("a", NOON, 1), value("b", NOON, 2)])
        stored = stored.set_column(0, "entity_key", stored.column(0).cast(key_type))
        joined = join_point_in_time(entities=asked, time_column="at", groups=[group(stored)])
        assert joined.column("balance").to_pylist() == [2, 1, None]

    def test_one_entity_twice_under_aliases(self) -> None:
        asked = pa.table({"sender": ["a", "b"], "receiver": ["b", "c"], "at": pa.array([NOON] * 2, TIMESTAMP)})
        stored = history([value("a", NOON, 1), value("b", NOON, 2)])
        joined = join_point_in_time(
            entities=asked,
            time_column="at",
            groups=[
                group(stored, key_column="sender", output="sender_balance"),
                group(stored, key_column="receiver", output="receiver_balance"),
            ],
        )
        assert joined.column("sender_balance").to_pylist() == [1, 2]
        assert joined.column("receiver_balance").to_pylist() == [2, None]

    def test_more_distinct_keys_than_are_pushed_down(self) -> None:
        count = 12_000
        rows = [value(str(number), NOON, number) for number in range(0, count, 2)]
        answers = balances(rows, [(str(number), NOON) for number in range(count)])
        assert answers == [None if number % 2 else number for number in range(count)]


class TestTimeRange:
    def test_both_ends_are_included(self) -> None:
        rows = [value("a", hours(hour), hour) for hour in range(6)]
        within = TimeRange(start=hours(1), end=hours(3))
        asked = [("a", hours(0.5)), ("a", hours(1)), ("a", hours(3)), ("a", hours(5))]
        assert balances(rows, asked, time_range=within) == [None, 1, 3, 3]

    def test_ends_are_exact_to_the_microsecond(self) -> None:
        rows = [value("a", hours(1), 1), value("b", hours(3), 3)]
        asked = [("a", hours(9)), ("b", hours(9))]
        inside = TimeRange(start=hours(1) + MICROSECOND, end=hours(3) - MICROSECOND)
        assert balances(rows, asked, time_range=inside) == [None, None]

    def test_an_older_row_within_the_range_answers_when_the_newest_is_beyond_it(self) -> None:
        rows = [value("a", hours(1), 1), value("a", hours(5), 5)]
        assert balances(rows, [("a", hours(9))], time_range=TimeRange(end=hours(2))) == [1]

    def test_max_age_still_counts_from_the_entity_row(self) -> None:
        answers = balances(
            [value("a", hours(1), 1)],
            [("a", hours(3)), ("a", hours(9))],
            time_range=TimeRange(end=hours(2)),
            max_age=timedelta(hours=4),
        )
        assert answers == [1, None]

    def test_a_range_that_ends_before_it_starts_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="ends before it starts"):
            TimeRange(start=hours(1), end=hours(0))

    def test_a_bound_without_a_zone_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="has no time zone"):
            TimeRange(start=NOON.replace(tzinfo=None))


class TestKnownAt:
    ROWS = (
        value("a", hours(1), 1, created=hours(2)),
        value("a", hours(1), 10, created=hours(6)),
        value("a", hours(3), 3, created=hours(8)),
        value("a", hours(4), 4),
    )

    def test_only_rows_created_by_the_instant_count(self) -> None:
        asked: list[tuple[str | None, datetime | None]] = [("a", hours(9))]
        known = [hours(2) - MICROSECOND, hours(2), hours(6), hours(8), hours(99)]
        answers = [balances(list(self.ROWS), asked, known_at=instant)[0] for instant in known]
        assert answers == [None, 1, 10, 3, 3]

    def test_without_it_rows_of_unknown_creation_count(self) -> None:
        assert balances(list(self.ROWS), [("a", hours(9))]) == [4]

    def test_known_at_event_time_takes_each_rows_own_time(self) -> None:
        asked = [("a", hours(hour)) for hour in (1, 2, 5, 6, 7, 8, 9)]
        assert balances(list(self.ROWS), asked, known_at="event_time") == [None, 1, 1, 10, 10, 3, 3]

    def test_known_at_event_time_prefers_the_newer_event_over_the_later_correction(self) -> None:
        rows = [value("a", hours(3), 3, created=hours(3)), value("a", hours(1), 1, created=hours(5))]
        asked = [("a", hours(2)), ("a", hours(4)), ("a", hours(6))]
        assert balances(rows, asked, known_at="event_time") == [None, 3, 3]

    def test_a_row_created_before_its_event_counts_from_its_event(self) -> None:
        rows = [value("a", hours(5), 5, created=hours(0))]
        assert balances(rows, [("a", hours(4)), ("a", hours(5))], known_at="event_time") == [None, 5]

    def test_known_at_event_time_with_max_age(self) -> None:
        rows = [value("a", hours(0), 1, created=hours(4))]
        asked = [("a", hours(4)), ("a", hours(5) + MICROSECOND)]
        assert balances(rows, asked, known_at="event_time", max_age=timedelta(hours=5)) == [1, None]

    def test_an_instant_without_a_zone_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="has no time zone"):
            balances([], [("a", NOON)], known_at=NOON.replace(tzinfo=None))

"""Every point-in-time rule as a named case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import LocalFileSystem

from catalog.entity_keys import encode_entity_key
from catalog.errors import InvalidInput, TooLarge
from serving.point_in_time import (
    EngineLimits,
    GroupHistory,
    TimeRange,
    WantedColumn,
    join_point_in_time,
    latest_rows,
)
from tests.point_in_time.oracle import ValueRow
from tests.point_in_time.tables import NOON, TIMESTAMP, entities, group, history, hours, value

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def balances(
    rows: list[ValueRow],
    asked: list[tuple[str | None, datetime | None]],
    *,
    max_age: timedelta | None = None,
    default: object | None = None,
    **request: Any,
) -> list[object]:
    """The answers of a request with one group and one wanted column."""
    joined = join_point_in_time(
        entities=entities(asked),
        time_column="at",
        groups=[group(history(rows), max_age=max_age, default=default)],
        **request,
    )
    return joined.column("balance").to_pylist()


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


class TestEntityRows:
    def test_unknown_future_and_stale_keys_give_nulls_and_keep_their_rows(self) -> None:
        rows = [value("future", hours(5), 1), value("stale", hours(-50), 2), value("fresh", hours(0), 3)]
        asked = [("unknown", hours(1)), ("future", hours(1)), ("stale", hours(1)), ("fresh", hours(1))]
        assert balances(rows, asked, max_age=timedelta(hours=24)) == [None, None, None, 3]

    def test_duplicates_stay_and_order_is_kept(self) -> None:
        rows = [value("a", hours(0), 1), value("b", hours(0), 2)]
        asked = [("b", hours(1)), ("a", hours(1)), ("b", hours(1)), ("b", hours(1)), ("a", hours(1))]
        assert balances(rows, asked) == [2, 1, 2, 2, 1]

    def test_exact_duplicate_value_rows_never_multiply(self) -> None:
        rows = [value("a", NOON, 1, created=NOON, arrival=1)] * 5
        assert balances(rows, [("a", NOON), ("a", hours(1))]) == [1, 1]

    def test_a_null_key_is_answered_by_nothing(self) -> None:
        assert balances([value(None, NOON, 1), value("a", NOON, 2)], [(None, NOON), ("a", NOON)]) == [None, 2]

    def test_only_null_keys(self) -> None:
        assert balances([value("a", NOON, 2)], [(None, NOON)], default=3) == [3]

    def test_no_entity_rows(self) -> None:
        joined = join_point_in_time(
            entities=entities([]), time_column="at", groups=[group(history([value("a", NOON, 1)]))]
        )
        assert joined.num_rows == 0
        assert joined.schema.names == ["key", "at", "balance"]
        assert joined.schema.field("balance").type == pa.int64()

    def test_no_value_rows(self) -> None:
        assert balances([], [("a", NOON)]) == [None]

    def test_no_groups_gives_the_entities_back(self) -> None:
        asked = entities([("a", NOON)])
        assert join_point_in_time(entities=asked, time_column="at", groups=[]).equals(asked)

    def test_extra_columns_of_every_type_come_back_untouched(self) -> None:
        extra = {
            "label": pa.array(["x", "y", None]).dictionary_encode(),
            "amount": pa.array([Decimal("1.10"), None, Decimal("-3.25")], pa.decimal128(38, 2)),
            "nested": pa.array([{"a": [1, None]}, None, {"a": []}]),
            "nanos": pa.array([1, 2, None], pa.timestamp("ns")),
            "half": pa.array([0.5, None, 1.5], pa.float16()),
            "raw": pa.array([b"\x00", None, b"\xff"]),
            "nothing": pa.nulls(3),
            "pairs": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
            "huge": pa.array([2**64 - 1, 0, None], pa.uint64()),
        }
        asked = entities([("a", hours(1)), ("a", NOON), ("b", NOON)])
        for name, column in extra.items():
            asked = asked.append_column(name, column)
        asked = pa.concat_tables([asked, asked]).replace_schema_metadata({"origin": "a file"})

        joined = join_point_in_time(entities=asked, time_column="at", groups=[group(history([value("a", NOON, 1)]))])

        assert joined.drop_columns(["balance"]).equals(asked, check_metadata=True)
        assert joined.column("balance").to_pylist() == [1, 1, None, 1, 1, None]

    def test_a_missing_time_is_the_end_of_the_range_else_the_default_time(self) -> None:
        rows = [value("a", hours(1), 1), value("a", hours(3), 3), value("a", hours(5), 5)]
        asked: list[tuple[str | None, datetime | None]] = [("a", None), ("a", hours(2))]
        end = TimeRange(end=hours(3))
        assert balances(rows, asked, time_range=end, default_time=hours(9)) == [3, 1]
        assert balances(rows, asked, default_time=hours(9)) == [5, 1]

    def test_a_missing_time_that_nothing_stands_in_for_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="entity row 1 has no 'at'") as refused:
            balances([], [("a", NOON), ("a", None)], time_range=TimeRange(start=NOON))
        assert refused.value.details == {"row": 1, "column": "at"}

    def test_a_missing_time_stays_missing_in_the_output(self) -> None:
        asked = entities([("a", None)])
        joined = join_point_in_time(entities=asked, time_column="at", groups=[group(history([]))], default_time=NOON)
        assert joined.column("at").to_pylist() == [None]


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


class TestExtremes:
    LAST = datetime(2262, 4, 11, 23, 47, 16, 854775, tzinfo=UTC)

    def test_events_before_at_and_long_after_the_epoch(self) -> None:
        moments = [datetime(1901, 1, 1, tzinfo=UTC), EPOCH - MICROSECOND, EPOCH, self.LAST, self.LAST + MICROSECOND]
        rows = [value("a", moment, number) for number, moment in enumerate(moments)]
        assert balances(rows, [("a", moment) for moment in moments]) == [0, 1, 2, 3, 4]

    def test_the_first_and_last_instants_of_the_calendar(self) -> None:
        first = datetime.min.replace(tzinfo=UTC)
        last = datetime.max.replace(tzinfo=UTC)
        rows = [value("a", first, 1), value("b", last, 2)]
        asked = [("a", first), ("a", last), ("b", last), ("b", last - MICROSECOND)]
        assert balances(rows, asked, max_age=timedelta.max) == [1, 1, 2, None]
        assert balances(rows, asked, max_age=timedelta(days=1)) == [1, None, 2, None]
        assert balances(rows, asked, time_range=TimeRange(start=first, end=last)) == [1, 1, 2, None]

    def test_times_at_the_ends_of_64_bits_saturate(self) -> None:
        ends = pa.array([-(2**63), 2**63 - 1], pa.int64()).cast(TIMESTAMP)
        stored = history([value("a", EPOCH, 1)])
        joined = join_point_in_time(
            entities=pa.table({"key": ["a", "a"], "at": ends}),
            time_column="at",
            groups=[group(stored, max_age=timedelta.max)],
        )
        assert joined.column("balance").to_pylist() == [None, 1]

    def test_seconds_beyond_the_microsecond_range_saturate(self) -> None:
        seconds = pa.array([2**62, -(2**62), 0], pa.int64()).cast(pa.timestamp("s", "UTC"))
        joined = join_point_in_time(
            entities=pa.table({"key": ["a"] * 3, "at": seconds}),
            time_column="at",
            groups=[group(history([value("a", EPOCH, 1)]))],
        )
        assert joined.column("balance").to_pylist() == [1, None, 1]

    def test_nanoseconds_are_rounded_down_also_before_the_epoch(self) -> None:
        nanos = pa.array([-1, -1000, 999, 1000], pa.int64()).cast(pa.timestamp("ns", "Europe/Berlin"))
        rows = [value("a", EPOCH - MICROSECOND, 1), value("a", EPOCH, 2), value("a", EPOCH + MICROSECOND, 3)]
        joined = join_point_in_time(
            entities=pa.table({"key": ["a"] * 4, "at": nanos}), time_column="at", groups=[group(history(rows))]
        )
        assert joined.column("balance").to_pylist() == [1, 1, 2, 3]

    def test_integers_above_2_to_the_53_are_exact(self) -> None:
        numbers = [2**53 + 1, -(2**63), 2**63 - 1]
        rows = [value(str(number), NOON, number) for number in numbers]
        assert balances(rows, [("nobody", NOON)] + [(str(number), NOON) for number in numbers]) == [None, *numbers]

    def test_created_times_at_the_edges_are_known_or_not_exactly(self) -> None:
        rows = [value("a", EPOCH, 1, created=datetime.min.replace(tzinfo=UTC))]
        assert balances(rows, [("a", EPOCH)], known_at=datetime.min.replace(tzinfo=UTC)) == [1]


class TestValues:
    @pytest.mark.parametrize(
        ("data_type", "stored", "default"),
        [
            (pa.float64(), 1.5, 0.25),
            (pa.int64(), 2**53 + 1, -1),
            (pa.string(), "münchen", ""),
            (pa.large_string(), "x", "none"),
            (pa.bool_(), True, False),
            (TIMESTAMP, NOON, EPOCH),
            (pa.list_(pa.float64()), [1.0, None, -0.5], []),
        ],
        ids=str,
    )
    def test_every_value_type(self, data_type: pa.DataType, stored: object, default: object) -> None:
        rows = [value("a", NOON, stored), value("b", NOON, None)]
        joined = join_point_in_time(
            entities=entities([("b", NOON), ("c", NOON), ("a", NOON)]),
            time_column="at",
            groups=[group(history(rows, data_type), data_type=data_type, default=default)],
        )
        assert joined.schema.field("balance").type == data_type
        assert joined.column("balance").to_pylist() == [None, default, stored]

    def test_an_absent_value_column_gives_nulls(self) -> None:
        stored = history([value("a", NOON, 1)]).drop_columns(["balance_v1"])
        joined = join_point_in_time(
            entities=entities([("a", NOON), ("b", NOON)]), time_column="at", groups=[group(stored, default=5)]
        )
        assert joined.column("balance").to_pylist() == [None, 5]

    def test_one_stored_column_under_two_names_and_beside_another(self) -> None:
        stored = history([value("a", NOON, 1)]).append_column("name_v2", pa.array(["x"]))
        asked = GroupHistory(
            name="financial",
            history=stored,
            wanted=(
                WantedColumn("balance_v1", "first", pa.int64()),
                WantedColumn("name_v2", "name", pa.large_string()),
                WantedColumn("balance_v1", "second", pa.float64(), default=0.5),
            ),
            key_column="key",
        )
        joined = join_point_in_time(entities=entities([("a", NOON), ("b", NOON)]), time_column="at", groups=[asked])
        assert joined.select(["first", "name", "second"]).to_pylist() == [
            {"first": 1, "name": "x", "second": 1.0},
            {"first": None, "name": None, "second": 0.5},
        ]

    def test_a_history_with_only_keys_and_events_beside_the_values(self) -> None:
        stored = history([value("a", NOON, 1)]).select(["balance_v1", "event_timestamp", "entity_key"])
        asked = entities([("a", NOON)])
        joined = join_point_in_time(entities=asked, time_column="at", groups=[group(stored)], include_timestamps=True)
        assert joined.column("balance").to_pylist() == [1]
        assert joined.column("financial__run_id").to_pylist() == [None]
        known = join_point_in_time(entities=asked, time_column="at", groups=[group(stored)], known_at=hours(9))
        assert known.column("balance").to_pylist() == [None]

    def test_timestamps_of_the_row_that_answered(self) -> None:
        rows = [value("a", hours(1), 1, created=hours(2), arrival=4)]
        joined = join_point_in_time(
            entities=entities([("a", hours(3)), ("a", hours(30)), ("b", hours(3))]),
            time_column="at",
            groups=[group(history(rows), max_age=timedelta(hours=5))],
            include_timestamps=True,
        )
        nothing = dict.fromkeys(("financial__event_timestamp", "financial__created_timestamp", "financial__run_id"))
        answered = dict(zip(nothing, (hours(1), hours(2), "run-1"), strict=True))
        assert joined.select(list(nothing)).to_pylist() == [answered, nothing, nothing]

    def test_a_type_that_cannot_hold_the_values_is_refused(self) -> None:
        stored = history([value("a", NOON, "many")], pa.string())
        with pytest.raises(InvalidInput, match="'balance_v1'.* cannot be given as int64"):
            join_point_in_time(entities=entities([("a", NOON)]), time_column="at", groups=[group(stored)])


class TestRefusals:
    def test_a_time_without_a_zone(self) -> None:
        asked = pa.table({"key": ["a"], "at": pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us"))})
        with pytest.raises(InvalidInput, match="'at' holds timestamps without a time zone"):
            join_point_in_time(entities=asked, time_column="at", groups=[])

    def test_a_time_that_is_no_timestamp(self) -> None:
        with pytest.raises(InvalidInput, match="'at' must hold timestamps, but its type is string"):
            join_point_in_time(entities=pa.table({"at": ["2025-01-01"]}), time_column="at", groups=[])

    def test_a_column_that_is_missing_or_ambiguous(self) -> None:
        asked = entities([("a", NOON)])
        with pytest.raises(InvalidInput, match="lacks the column 'when'"):
            join_point_in_time(entities=asked, time_column="when", groups=[])
        twice = asked.append_column("at", asked.column("at"))
        with pytest.raises(InvalidInput, match="more than one of the column 'at'"):
            join_point_in_time(entities=twice, time_column="at", groups=[])

    def test_a_key_column_that_is_not_text(self) -> None:
        asked = pa.table({"key": [1], "at": pa.array([NOON], TIMESTAMP)})
        with pytest.raises(InvalidInput, match="must hold entity keys as text"):
            join_point_in_time(entities=asked, time_column="at", groups=[group(history([]))])

    def test_an_output_that_repeats_a_name(self) -> None:
        twice = [group(history([])), group(history([]), name="other")]
        with pytest.raises(InvalidInput, match="'balance' of group 'other' would repeat"):
            join_point_in_time(entities=entities([]), time_column="at", groups=twice)
        with pytest.raises(InvalidInput, match="'at' of group 'financial' would repeat"):
            join_point_in_time(entities=entities([]), time_column="at", groups=[group(history([]), output="at")])

    def test_a_negative_max_age(self) -> None:
        with pytest.raises(InvalidInput, match="cannot be negative"):
            group(history([]), max_age=-MICROSECOND)

    def test_a_history_of_another_shape(self) -> None:
        stored = history([])
        lacking = replace(group(stored), history=stored.drop_columns(["event_timestamp"]))
        with pytest.raises(InvalidInput, match=r"lacks the columns \['event_timestamp'\]"):
            join_point_in_time(entities=entities([]), time_column="at", groups=[lacking])
        naive = stored.set_column(1, "event_timestamp", pa.array([], pa.timestamp("us")))
        with pytest.raises(InvalidInput, match="microseconds with a zone"):
            join_point_in_time(entities=entities([]), time_column="at", groups=[replace(group(stored), history=naive)])


class TestOverDelta:
    """File statistics in a Delta log are coarse; what is skipped by them must never have been an answer."""

    @pytest.fixture
    def stored(self, tmp_path: Path) -> deltalake.DeltaTable:
        commits = [
            [value("a", EPOCH - timedelta(microseconds=500), 1, created=EPOCH), value("b", NOON, 2)],
            [value("a", NOON + timedelta(microseconds=999), 3, created=hours(1)), value("k" * 200 + "é", NOON, 4)],
            [value("a", hours(2), 5, created=hours(2)), value("b", hours(2), 6)],
        ]
        for rows in commits:
            deltalake.write_deltalake(str(tmp_path / "table"), history(rows), mode="append")
        return deltalake.DeltaTable(str(tmp_path / "table"))

    def test_the_same_as_over_a_table(self, stored: deltalake.DeltaTable) -> None:
        dataset = stored.to_pyarrow_dataset()
        asked = entities(
            [
                ("a", EPOCH - timedelta(microseconds=500)),
                ("a", EPOCH - timedelta(microseconds=501)),
                ("a", NOON + timedelta(microseconds=999)),
                ("k" * 200 + "é", hours(9)),
                ("b", hours(1)),
                ("a", hours(9)),
            ]
        )
        for source in (dataset, dataset.to_table()):
            joined = join_point_in_time(
                entities=asked, time_column="at", groups=[replace(group(history([])), history=source)]
            )
            assert joined.column("balance").to_pylist() == [1, None, 3, 4, 2, 5]

    def test_bounds_between_the_milliseconds(self, stored: deltalake.DeltaTable) -> None:
        dataset = stored.to_pyarrow_dataset()
        for row_time, answer in [(EPOCH - timedelta(microseconds=500), 1), (NOON + timedelta(microseconds=999), 3)]:
            joined = join_point_in_time(
                entities=entities([("a", row_time)]),
                time_column="at",
                groups=[replace(group(history([]), max_age=timedelta(0)), history=dataset)],
                time_range=TimeRange(start=row_time, end=row_time),
            )
            assert joined.column("balance").to_pylist() == [answer]

    def test_values_come_from_the_rows_that_were_chosen_across_many_files(self, tmp_path: Path) -> None:
        path = str(tmp_path / "many")
        for part in range(12):
            rows = [
                value(f"{key}", hours(part), 1000 * part + key, created=hours(part), arrival=part) for key in range(300)
            ]
            deltalake.write_deltalake(path, history(rows), mode="append")
        dataset = deltalake.DeltaTable(path).to_pyarrow_dataset()
        asked = [(str(key), hours(key % 12)) for key in range(300)]
        joined = join_point_in_time(
            entities=entities(asked),
            time_column="at",
            groups=[replace(group(history([])), history=dataset)],
        )
        assert joined.column("balance").to_pylist() == [1000 * (key % 12) + key for key in range(300)]


class TestLatestRows:
    def test_the_newest_row_per_key_by_the_same_order(self) -> None:
        rows = [
            value("a", hours(1), 1, created=hours(9)),
            value("a", hours(2), 2, created=hours(3)),
            value("a", hours(2), 3, created=hours(3), arrival=1),
            value("b", hours(1), None, created=hours(1)),
            value(None, hours(1), 8),
            value("c", None, 9),
        ]
        newest = latest_rows(history(rows), as_of=None, columns=["balance_v1", "arrival"])
        assert newest.sort_by("entity_key").to_pylist() == [
            {
                "entity_key": "a",
                "event_timestamp": hours(2),
                "created_timestamp": hours(3),
                "run_id": "run-3",
                "balance_v1": 3,
                "arrival": 1,
            },
            {
                "entity_key": "b",
                "event_timestamp": hours(1),
                "created_timestamp": hours(1),
                "run_id": "run-None",
                "balance_v1": None,
                "arrival": None,
            },
        ]

    def test_as_of_is_included(self) -> None:
        rows = [value("a", hours(1), 1), value("a", hours(2), 2), value("b", hours(2) + MICROSECOND, 3)]
        newest = latest_rows(history(rows), as_of=hours(2), columns=["balance_v1"])
        assert newest.column("balance_v1").to_pylist() == [2]

    def test_an_empty_history_and_an_absent_column(self) -> None:
        newest = latest_rows(history([]), as_of=None, columns=["other_v1"])
        assert newest.num_rows == 0
        names = ["entity_key", "event_timestamp", "created_timestamp", "run_id", "other_v1"]
        assert newest.schema.names == names
        assert latest_rows(history([value("a", NOON, 1)]), as_of=None, columns=["other_v1"]).column(
            "other_v1"
        ).to_pylist() == [None]


def test_statistics_cut_to_milliseconds_hide_no_row(tmp_path: Path) -> None:
    moment = NOON + timedelta(microseconds=700)
    pq.write_table(history([value("a", moment, 1, created=moment)]), tmp_path / "part.parquet")
    at_noon = pa.scalar(NOON, TIMESTAMP)
    at_next = pa.scalar(NOON + timedelta(milliseconds=1), TIMESTAMP)
    cut_down = (pc.field("event_timestamp") <= at_noon) & (pc.field("created_timestamp") >= at_noon)
    rounded_up = (pc.field("event_timestamp") >= at_next) & (pc.field("created_timestamp") >= at_next)
    for statistics in (cut_down, rounded_up):
        fragment = ds.ParquetFileFormat().make_fragment(
            str(tmp_path / "part.parquet"), LocalFileSystem(), partition_expression=statistics
        )
        dataset = ds.FileSystemDataset([fragment], history([]).schema, ds.ParquetFileFormat(), LocalFileSystem())
        joined = join_point_in_time(
            entities=entities([("a", moment)]),
            time_column="at",
            groups=[replace(group(history([]), max_age=timedelta(0)), history=dataset)],
            known_at=moment,
        )
        assert joined.column("balance").to_pylist() == [1]


def test_the_engine_spills_within_its_memory_limit(tmp_path: Path) -> None:
    count = 400_000
    keys = pa.array(range(count)).cast(pa.string())
    stored = pa.table(
        {
            "entity_key": keys,
            "event_timestamp": pa.array([NOON], TIMESTAMP).take(pa.array([0] * count)),
            "balance_v1": pa.array(range(count)),
        }
    )
    asked = pa.table({"key": keys, "at": stored.column("event_timestamp")})
    spill = tmp_path / "not" / "there"
    joined = join_point_in_time(
        entities=asked,
        time_column="at",
        groups=[group(stored)],
        limits=EngineLimits(memory_limit="60MB", temp_directory=str(spill), threads=1),
    )
    assert joined.column("balance").equals(stored.column("balance_v1"))
    assert list(spill.iterdir()) == []


def test_more_than_the_engine_may_use_is_too_large(tmp_path: Path) -> None:
    rows = [value(str(number), NOON, number) for number in range(50_000)]
    with pytest.raises(TooLarge, match="fewer rows at a time") as refused:
        balances(
            rows,
            [(row.key, row.event) for row in rows],
            limits=EngineLimits(memory_limit="2MB", temp_directory=str(tmp_path)),
        )
    assert refused.value.details == {"memory_limit": "2MB"}

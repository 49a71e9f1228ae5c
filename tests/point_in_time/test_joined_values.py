"""Values of every type, and instants and numbers at the ends of their ranges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from catalog.errors import InvalidInput
from serving.point_in_time import (
    GroupHistory,
    TimeRange,
    WantedColumn,
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

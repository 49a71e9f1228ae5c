"""What happens to the entity rows, and which requests are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from catalog.errors import InvalidInput
from serving.point_in_time import (
    TimeRange,
    join_point_in_time,
)
from tests.point_in_time.tables import (
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

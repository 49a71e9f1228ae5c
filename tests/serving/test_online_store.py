"""The newest row of a key is online, in whatever order the rows arrive."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from serving.models import FeatureValue
from serving.models.fields import UNKNOWN_US
from serving.online_rows import iso_text, json_column, online_rows
from serving.stores.online import OnlineRow, online_store
from tests.stocked_store import DAY, make_group

# One row per rank, from the oldest to the newest: by event, then created, then arrival.
RANKS = [(10, 5, 9), (20, UNKNOWN_US, 3), (20, 1, 1), (20, 1, 2), (20, 2, -1), (30, UNKNOWN_US, -1)]


def of_rank(position: int) -> OnlineRow:
    event, created, arrival = RANKS[position]
    return OnlineRow("key", {"rank_v1": position}, event, created, arrival, f"run-{position}")


@pytest.mark.django_db
class TestNewestWins:
    def test_for_every_order_of_arrival_of_three(self) -> None:
        group = make_group()
        for chosen in itertools.combinations(range(len(RANKS)), 3):
            for order in itertools.permutations(chosen):
                FeatureValue.objects.all().delete()
                for position in order:
                    online_store().upsert(group.pk, [of_rank(position)])
                assert FeatureValue.objects.get().values == {"rank_v1": max(chosen)}, order

    def test_for_every_order_within_one_call(self) -> None:
        group = make_group()
        for order in itertools.permutations(range(4)):
            FeatureValue.objects.all().delete()
            online_store().upsert(group.pk, [of_rank(position) for position in order])
            assert FeatureValue.objects.get().run_id == "run-3", order

    def test_the_row_before_does_not_come_back(self) -> None:
        group = make_group()
        assert online_store().upsert(group.pk, [of_rank(5)]) == 1
        assert online_store().upsert(group.pk, [of_rank(position) for position in range(6)]) == 0
        assert FeatureValue.objects.get().run_id == "run-5"


class TestRowsFromHistory:
    def test_one_by_one(self) -> None:
        stamp = pa.timestamp("us", tz="UTC")
        table = pa.table(
            {
                "entity_key": ["a", "b"],
                "event_timestamp": pa.array([DAY, DAY + timedelta(microseconds=1)], stamp),
                "created_timestamp": pa.array([DAY, None], stamp),
                "run_id": ["run", None],
                "arrival": pa.array([7, None], pa.int64()),
                "x_v1": pa.array([2**63 - 1, None], pa.int64()),
            }
        )
        microseconds = int(DAY.timestamp()) * 1_000_000

        assert list(online_rows(table, value_columns=["x_v1"])) == [
            OnlineRow("a", {"x_v1": 2**63 - 1}, microseconds, microseconds, 7, "run"),
            OnlineRow("b", {"x_v1": None}, microseconds + 1, UNKNOWN_US, -1, ""),
        ]

    def test_values_are_json(self) -> None:
        floats = pa.chunked_array([[0.1, float("nan"), float("inf"), -float("inf"), None]])
        lists = pa.chunked_array([pa.array([[1.0, float("nan"), None], None, []], pa.list_(pa.float64()))])
        times = pa.chunked_array([pa.array([datetime(2025, 1, 1, tzinfo=UTC), None], pa.timestamp("us", tz="UTC"))])

        assert json_column(floats) == [0.1, None, None, None, None]
        assert json_column(lists) == [[1.0, None, None], None, []]
        assert json_column(times) == ["2025-01-01T00:00:00.000000Z", None]
        assert json_column(pa.chunked_array([pa.nulls(2)])) == [None, None]
        assert json.dumps(json_column(pa.chunked_array([["ü", None]]))) == '["\\u00fc", null]'

    def test_times_are_utc(self) -> None:
        from_zurich = datetime.fromisoformat("2025-07-01T12:00:00.5+02:00")
        assert iso_text(from_zurich) == "2025-07-01T10:00:00.500000Z"

"""The newest row of a key is online, in whatever order the rows arrive."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pyarrow as pa
import pytest

from serving.models import FeatureValue
from serving.models.fields import UNKNOWN_US
from serving.online_rows import online_batches
from serving.stores.online import online_store
from serving.stores.online_batches import BATCH_ROWS, OnlineRow, in_batches
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
                    online_store().upsert(group.pk, in_batches([of_rank(position)]))
                assert FeatureValue.objects.get().values == {"rank_v1": max(chosen)}, order

    @pytest.mark.parametrize("at_once", [1, 2, 3, 100])
    def test_for_every_order_within_one_call(self, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("serving.stores.online_writing._STATEMENT_ROWS", at_once)
        group = make_group()
        for order in itertools.permutations(range(4)):
            FeatureValue.objects.all().delete()
            online_store().upsert(group.pk, in_batches([of_rank(position) for position in order]))
            assert FeatureValue.objects.get().run_id == "run-3", order

    @pytest.mark.parametrize("rows", [1, 99, 100, 101, 250])
    def test_every_row_is_counted_that_was_written(self, rows: int) -> None:
        group = make_group()
        first = [OnlineRow(f"k{number}", {"x_v1": number}, 10, 0, 0, "first") for number in range(rows)]
        again = [row._replace(event_us=10 + number % 2, run_id="again") for number, row in enumerate(first)]

        assert online_store().upsert(group.pk, in_batches(first)) == rows
        assert online_store().upsert(group.pk, in_batches(again)) == rows // 2

        runs = {row.entity_key: (row.values, row.run_id) for row in FeatureValue.objects.all()}
        assert runs == {f"k{n}": ({"x_v1": n}, "again" if n % 2 else "first") for n in range(rows)}

    def test_the_row_before_does_not_come_back(self) -> None:
        group = make_group()
        assert online_store().upsert(group.pk, in_batches([of_rank(5)])) == 1
        assert online_store().upsert(group.pk, in_batches([of_rank(position) for position in range(6)])) == 0
        assert FeatureValue.objects.get().run_id == "run-5"


def history_of(numbers: list[int]) -> pa.RecordBatch:
    stamps = pa.array([DAY] * len(numbers), pa.timestamp("us", tz="UTC"))
    return pa.record_batch(
        {
            "entity_key": pa.array([str(number) for number in numbers], pa.string()),
            "event_timestamp": stamps,
            "created_timestamp": stamps,
            "run_id": pa.array(["run"] * len(numbers), pa.string()),
            "arrival": pa.array(numbers, pa.int64()),
            "x_v1": pa.array(numbers, pa.int64()),
        }
    )


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

        assert list(online_batches(table.to_batches(), value_columns=["x_v1"])) == list(
            in_batches(
                [
                    OnlineRow("a", {"x_v1": 2**63 - 1}, microseconds, microseconds, 7, "run"),
                    OnlineRow("b", {"x_v1": None}, microseconds + 1, UNKNOWN_US, -1, ""),
                ]
            )
        )

    @pytest.mark.parametrize("sizes", [[BATCH_ROWS], [3, BATCH_ROWS, 1], [2 * BATCH_ROWS + 1], [1] * 9, []])
    def test_in_batches_of_one_size_however_the_files_are_cut(self, sizes: list[int]) -> None:
        numbers = iter(range(sum(sizes)))
        parts = [history_of([next(numbers) for _ in range(size)]) for size in sizes]

        found = list(online_batches(parts, value_columns=["x_v1"]))

        whole, rest = divmod(sum(sizes), BATCH_ROWS)
        assert [len(batch) for batch in found] == [BATCH_ROWS] * whole + [rest] * (rest > 0)
        assert [key for batch in found for key in batch.entity_keys] == [str(number) for number in range(sum(sizes))]
        assert [document for batch in found for document in batch.documents] == [
            f'{{"x_v1":{number}}}' for number in range(sum(sizes))
        ]

    def test_a_group_without_values(self) -> None:
        (batch,) = online_batches([history_of([1, 2])], value_columns=[])
        assert batch.documents == ["{}", "{}"]

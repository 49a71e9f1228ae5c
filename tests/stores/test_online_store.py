"""The online store's promises; the services suite asks the same of every database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from catalog.models import FeatureGroup
from serving.models import FeatureValue
from serving.models.fields import UNKNOWN_US, to_microseconds
from serving.stores import online_sql
from serving.stores.online import READ_CHUNK, DatabaseOnlineStore, online_store
from serving.stores.online_batches import BATCH_ROWS, OnlineRow, in_batches
from tests.stocked_store import make_group

pytestmark = pytest.mark.django_db

NOON = to_microseconds(datetime(2025, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def group() -> FeatureGroup:
    return make_group("finance")


def row(key: str = "1", value: Any = 1.0, *, event: int = NOON, created: int = NOON, arrival: int = 1) -> OnlineRow:
    return OnlineRow(key, {"value_v1": value}, event, created, arrival, "run")


def read_one(group: FeatureGroup, key: str) -> OnlineRow | None:
    return online_store().read({group.pk: [key]}).get((group.pk, key))


@pytest.mark.parametrize(
    ("later", "wins"),
    [
        (row(value=2.0, event=NOON + 1), True),
        (row(value=2.0, event=NOON - 1, created=NOON + 10**9, arrival=99), False),
        (row(value=2.0, created=NOON + 1), True),
        (row(value=2.0, created=NOON - 1, arrival=99), False),
        (row(value=2.0, created=UNKNOWN_US, arrival=99), False),
        (row(value=2.0, arrival=2), True),
        (row(value=2.0, arrival=0), False),
        (row(value=2.0, arrival=-1), False),
        (row(value=2.0), False),
    ],
    ids=["newer event", "older event", "newer created", "older created", "unknown created", "later arrival",
         "earlier arrival", "unknown arrival", "same row"],
)  # fmt: skip
class TestTheNewestRowWins:
    def test_by_event_then_created_then_arrival(self, group: FeatureGroup, later: OnlineRow, wins: bool) -> None:
        online_store().upsert(group.pk, in_batches([row()]))

        changed = online_store().upsert(group.pk, in_batches([later]))

        assert changed == int(wins)
        assert read_one(group, "1") == (later if wins else row())

    def test_also_when_the_writer_saw_nothing_before(self, group: FeatureGroup, later: OnlineRow, wins: bool) -> None:
        """Another process may write between the look and the write: the statement itself must hold the guard."""
        online_store().upsert(group.pk, in_batches([row()]))

        with connection.cursor() as cursor:
            cursor.executemany(online_sql.upsert_statement(connection), [parameters(group, later)])

        assert read_one(group, "1") == (later if wins else row())


def parameters(group: FeatureGroup, new: OnlineRow) -> tuple[Any, ...]:
    key = online_sql.key_parameter(connection, new.entity_key)
    values = f'{{"value_v1": {new.values["value_v1"]}}}'
    return (group.pk, key, values, new.event_us, new.created_us, new.arrival, new.run_id)


def test_guard_holds_for_every_row_of_one_statement(group: FeatureGroup) -> None:
    online_store().upsert(group.pk, in_batches([row("a"), row("b"), row("c")]))
    mixed = [row("a", 2.0, event=NOON + 1), row("b", 2.0, event=NOON - 1), row("c", 2.0, arrival=2), row("d", 2.0)]

    with connection.cursor() as cursor:
        cursor.executemany(online_sql.upsert_statement(connection), [parameters(group, each) for each in mixed])

    stored = online_store().read({group.pk: ["a", "b", "c", "d"]})
    assert {key: found.values["value_v1"] for (_, key), found in stored.items()} == {"a": 2, "b": 1, "c": 2, "d": 2}


KEYS = ["A", "a", "a ", " a", "ä", "a\u0308", "ß", "ss", "SS", "客户", "🙂", "1", "01", "1.0", "", "%", "_", "'", '"',
        "\\", "a|b", "a\\|b", "null", "x" * 255, "客" * 255]  # fmt: skip


def test_keys_are_compared_byte_by_byte(group: FeatureGroup) -> None:
    online_store().upsert(group.pk, in_batches([row(key, float(number)) for number, key in enumerate(KEYS)]))

    stored = online_store().read({group.pk: KEYS})

    assert [stored[group.pk, key].values["value_v1"] for key in KEYS] == [float(number) for number in range(len(KEYS))]
    assert online_store().count(group.pk) == len(KEYS)
    for key in KEYS:
        assert FeatureValue.objects.get(group=group, entity_key=key).entity_key == key


@pytest.mark.parametrize(
    "value",
    [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 0.1, 1e-300, 1.7976931348623157e308, 5e-324, 1e16, True, False, None, "",
     "Zürich 客户 🙂 \"' \\ \n %s", "2025-03-01T12:00:00.000001Z", [0.1, -2.5, 3.0], [], "x" * 100_000],
    ids=repr,
)  # fmt: skip
def test_values_come_back_as_they_went(group: FeatureGroup, value: Any) -> None:
    online_store().upsert(group.pk, in_batches([row(value=value)]))

    found = read_one(group, "1")

    assert found is not None
    assert found.values == {"value_v1": value}
    assert isinstance(found.values["value_v1"], bool) is isinstance(value, bool)


def test_instants_are_exact_to_the_microsecond(group: FeatureGroup) -> None:
    event = datetime(2025, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    online_store().upsert(group.pk, in_batches([row(event=to_microseconds(event), created=UNKNOWN_US)]))

    stored = FeatureValue.objects.get(group=group)

    assert stored.event_timestamp == event
    assert stored.created_timestamp is None


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_instants_of_any_year(group: FeatureGroup, year: int) -> None:
    event = datetime(year, 1, 1, tzinfo=UTC)
    online_store().upsert(group.pk, in_batches([row(event=to_microseconds(event))]))

    assert FeatureValue.objects.get(group=group).event_timestamp == event


def test_one_query_reads_several_groups(group: FeatureGroup, django_assert_num_queries: Any) -> None:
    other = make_group("habits")
    online_store().upsert(group.pk, in_batches([row("1", 1.0), row("2", 2.0)]))
    online_store().upsert(other.pk, in_batches([row("1", 10.0)]))

    with django_assert_num_queries(1):
        found = online_store().read({group.pk: ["1", "2", "unknown"], other.pk: ["1", "2"]})

    assert {place: stored.values["value_v1"] for place, stored in found.items()} == {
        (group.pk, "1"): 1.0,
        (group.pk, "2"): 2.0,
        (other.pk, "1"): 10.0,
    }


def test_more_keys_than_one_query_takes(group: FeatureGroup) -> None:
    keys = [str(number) for number in range(2 * READ_CHUNK + 1)]
    assert online_store().upsert(group.pk, in_batches([row(key) for key in keys])) == len(keys)

    found = online_store().read({group.pk: [*keys, *keys, "unknown"]})

    assert set(found) == {(group.pk, key) for key in keys}


def test_nothing_asked_nothing_read(group: FeatureGroup, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert online_store().read({}) == {}
        assert online_store().read({group.pk: []}) == {}


class TestReplacing:
    def test_the_rows_are_exactly_these(self, group: FeatureGroup) -> None:
        other = make_group("habits")
        online_store().upsert(group.pk, in_batches([row("1"), row("2", event=NOON + 5)]))
        online_store().upsert(other.pk, in_batches([row("1")]))

        online_store().replace(group.pk, in_batches([row("2", 7.0), row("3", 8.0)]))

        found = online_store().read({group.pk: ["1", "2", "3"], other.pk: ["1"]})
        assert set(found) == {(group.pk, "2"), (group.pk, "3"), (other.pk, "1")}
        assert found[group.pk, "2"] == row("2", 7.0)

    def test_a_failure_leaves_the_old_rows(self, group: FeatureGroup) -> None:
        online_store().upsert(group.pk, in_batches([row("1")]))

        def breaks_off() -> Iterator[OnlineRow]:
            yield row("2")
            raise RuntimeError("the history cannot be read")

        with pytest.raises(RuntimeError, match="cannot be read"):
            DatabaseOnlineStore().replace(group.pk, in_batches(breaks_off()))

        assert set(online_store().read({group.pk: ["1", "2"]})) == {(group.pk, "1")}


def test_progress_counts_every_row(group: FeatureGroup) -> None:
    seen: list[int] = []

    online_store().upsert(
        group.pk, in_batches([row(str(number)) for number in range(2 * BATCH_ROWS + 500)]), seen.append
    )

    assert seen == [BATCH_ROWS, BATCH_ROWS, 500]


class TestRevisions:
    """What Redis does as well is asked of both in test_redis_online_store."""

    def test_rows_that_are_overwritten_or_deleted_give_another(self, group: FeatureGroup) -> None:
        store = DatabaseOnlineStore()
        store.upsert(group.pk, in_batches([row("1"), row("2")]))
        seen = [store.revisions([group.pk])]

        store.overwrite(group.pk, in_batches([row("1", event=NOON - 1)]))
        seen.append(store.revisions([group.pk]))
        assert store.keep_only(group.pk, ["1"]) == 1
        seen.append(store.revisions([group.pk]))
        assert store.keep_only(group.pk, ["1"]) == 0

        assert len(set(seen)) == 3
        assert seen[-1] == store.revisions([group.pk])

    def test_one_that_is_rolled_back_does_not_come_again(self, group: FeatureGroup) -> None:
        store = DatabaseOnlineStore()
        store.upsert(group.pk, in_batches([row("1")]))
        before = store.revisions([group.pk])

        def written() -> Any:
            store.upsert(group.pk, in_batches([row("1", event=NOON + 1)]))
            return store.revisions([group.pk])

        with transaction.atomic():
            taken_back = written()
            transaction.set_rollback(True)
        assert store.revisions([group.pk]) == before
        assert written() not in (before, taken_back)

    def test_a_group_that_is_deleted_takes_it_along(self, group: FeatureGroup) -> None:
        store = DatabaseOnlineStore()
        store.upsert(group.pk, in_batches([row("1")]))
        key = group.pk

        group.delete()

        assert store.revisions([key]) is None

    def test_one_query_reads_rows_and_revisions(self, group: FeatureGroup, django_assert_num_queries: Any) -> None:
        other = make_group("habits")
        for each in (group, other):
            online_store().upsert(each.pk, in_batches([row("1")]))

        with django_assert_num_queries(1):
            rows, revisions = online_store().read_with_revisions({group.pk: ["1"], other.pk: ["1", "2"]})

        assert (len(rows), len(revisions or ())) == (2, 2)

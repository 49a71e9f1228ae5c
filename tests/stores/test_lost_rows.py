"""A row that was carried over is never told to be unknown: what Redis has lost is refused, and comes back by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureGroup
from featurestore_site.configuration import Configuration
from ingestion.health import Check, CheckState, store_health
from ingestion.tasks import materialize_due
from serving.expiry import expire_group
from serving.lost_rows import groups_that_lost_rows
from serving.materialization import materialize_group
from serving.models import MaterializedTable
from serving.stores import redis_online
from serving.stores.online import online_store
from serving.stores.online_batches import OnlineRow, in_batches
from tests.services.servers import REDIS
from tests.stocked_store import client_of, make_feature, make_group, make_user, put_history
from tests.stores.test_online_store import NOON
from tests.stores.test_redis_online_store import RedisServer, in_redis, redis_server

__all__ = ["redis_server"]

pytestmark = [pytest.mark.django_db, pytest.mark.services]

DAY = datetime(2025, 3, 1, tzinfo=UTC)
LOST = "the online store (Redis) has lost the rows of finance: "


@pytest.fixture
def group(redis_server: RedisServer) -> FeatureGroup:
    """A group with the rows ``a`` and ``b`` online, and a reader's view of it."""
    group = make_group("finance")
    make_feature(group, "balance")
    put_history(group, [{"key": key, "event": DAY, "balance_v1": 1.5} for key in ("a", "b")])
    materialize_group(group)
    return group


@pytest.fixture
def reader() -> Client:
    return client_of(make_user("reader", Role.DATA_SCIENTIST))


def batch(reader: Client, *keys: str) -> Any:
    body = {"entity_ids": list(keys), "features": ["balance"], "include_metadata": True}
    return reader.post("/api/v1/features/batch", body, "application/json")


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [result["metadata"]["balance"]["status"] for result in answer.json()["results"]]


class TestReaders:
    def test_of_rows_that_were_lost_are_refused_until_they_are_back(
        self, redis_server: RedisServer, group: FeatureGroup, reader: Client
    ) -> None:
        for _ in range(2):
            assert statuses(batch(reader, "a", "b")) == ["PRESENT", "PRESENT"]

        redis_server.lose_everything()

        # Also of what was kept of the answer before.
        for answer in (batch(reader, "a", "b"), batch(reader, "a"), reader.get("/api/v1/features/balance/entity/b")):
            assert answer.status_code == 503
            assert answer.json()["error"]["message"].startswith(LOST)

        materialize_due()

        assert statuses(batch(reader, "a", "b")) == ["PRESENT", "PRESENT"]

    def test_of_a_key_that_is_unknown_are_told_so(self, group: FeatureGroup, reader: Client) -> None:
        assert statuses(batch(reader, "a", "nobody")) == ["PRESENT", "NOT_FOUND"]

    def test_of_a_group_that_never_had_rows_are_told_so(self, redis_server: RedisServer, reader: Client) -> None:
        make_feature(make_group("finance"), "balance")

        assert statuses(batch(reader, "a")) == ["NOT_FOUND"]

    def test_of_rows_that_were_too_old_are_told_so(self, group: FeatureGroup, reader: Client) -> None:
        FeatureGroup.objects.update(max_age=timedelta(days=1))
        group.refresh_from_db()
        assert expire_group(group, at=DAY + timedelta(days=3)) == 2

        assert statuses(batch(reader, "a")) == ["NOT_FOUND"]
        assert groups_that_lost_rows() == []

    def test_of_another_group_are_answered(
        self, redis_server: RedisServer, group: FeatureGroup, reader: Client
    ) -> None:
        other = make_group("habits")
        make_feature(other, "visits")
        put_history(other, [{"key": "a", "event": DAY, "visits_v1": 7.0}])
        materialize_group(other)
        redis_server.client.delete(redis_online._name(group.pk))

        assert reader.get("/api/v1/features/visits/entity/a").json()["value"] == 7.0
        assert batch(reader, "a").status_code == 503


def test_health_tells_it_and_sends_nobody_elsewhere(redis_server: RedisServer, group: FeatureGroup) -> None:
    assert store_health().checks["online_store"] == Check(CheckState.PASS)

    redis_server.lose_everything()

    health = store_health()
    assert health.checks["online_store"] == Check(CheckState.WARN, "the online store has lost the rows of 1 groups")
    assert health.healthy


class TestAnOlderCopy:
    """A server that starts again may come with what it had some time ago; there is no row less to be seen."""

    @pytest.fixture
    def set_back(self, redis_server: RedisServer, group: FeatureGroup) -> Callable[[], None]:
        """Set the server back to before a second materialization."""
        stored = redis_server.keys()
        copies = {key: redis_server.client.dump(key) for key in stored}
        put_history(group, [{"key": key, "event": DAY + timedelta(hours=1), "balance_v1": 2.5} for key in ("a", "c")])
        materialize_group(group)

        def back() -> None:
            for key, copy in copies.items():
                redis_server.client.restore(key, 0, copy, replace=True)

        return back

    def values(self, group: FeatureGroup) -> dict[str, Any]:
        return {key: row.values["balance_v1"] for (_, key), row in self.found(group).items()}

    def found(self, group: FeatureGroup) -> dict[tuple[int, str], OnlineRow]:
        return online_store().read({group.pk: ["a", "b", "c"]})

    def test_is_brought_up_to_date(self, set_back: Callable[[], None], group: FeatureGroup) -> None:
        set_back()
        assert self.values(group) == {"a": 1.5, "b": 1.5}
        assert groups_that_lost_rows() == [group]

        materialize_due()

        assert self.values(group) == {"a": 2.5, "b": 1.5, "c": 2.5}
        assert groups_that_lost_rows() == []

    def test_is_not_taken_for_the_present_one_when_rows_of_it_expire(
        self, set_back: Callable[[], None], group: FeatureGroup
    ) -> None:
        FeatureGroup.objects.update(max_age=timedelta(days=1))
        group.refresh_from_db()
        set_back()

        assert expire_group(group, at=DAY + timedelta(days=2, minutes=1)) == 2

        assert groups_that_lost_rows() == [group]

    def test_what_was_written_and_never_acknowledged_is_looked_at_again(self, group: FeatureGroup) -> None:
        """As by a run that was killed between the rows and its transaction."""
        online_store().upsert(group.pk, in_batches([OnlineRow("c", {"balance_v1": 9.0}, NOON, NOON, 1, "run")]))
        assert groups_that_lost_rows() == [group]

        materialize_due()

        assert groups_that_lost_rows() == []


class TestAnotherStore:
    """Whichever store is configured next has all rows after the next materialization, though it has some of before."""

    @pytest.mark.parametrize(
        ("first", "second"), [("database", REDIS.url), (REDIS.url, "database")], ids=["into Redis", "out of it"]
    )
    def test_there_and_back(
        self, redis_server: RedisServer, configuration: Configuration, first: str, second: str
    ) -> None:
        group = make_group("finance")
        make_feature(group, "balance")
        for number, place in enumerate((first, second, first)):
            in_redis(configuration, place)
            put_history(group, [{"key": f"k{number}", "event": DAY, "balance_v1": float(number)}])
            materialize_group(group)

        found = online_store().read({group.pk: ["k0", "k1", "k2"]})

        assert {key: row.values["balance_v1"] for (_, key), row in found.items()} == {"k0": 0.0, "k1": 1.0, "k2": 2.0}
        assert MaterializedTable.objects.get().online_rows == 3
        assert groups_that_lost_rows() == []

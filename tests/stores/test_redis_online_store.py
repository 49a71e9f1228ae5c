"""The online store's promises, kept by Redis: those that the database keeps in test_online_store."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from redis import Redis

from catalog.errors import Unavailable
from catalog.models import FeatureGroup
from featurestore_site.configuration import Configuration
from ingestion.health import CheckState, store_health
from serving.materialization import materialize_group
from serving.models import FeatureValue, MaterializedTable
from serving.models.fields import UNKNOWN_US
from serving.stores import redis_online
from serving.stores.online import DatabaseOnlineStore, OnlineRow, OnlineStore, online_store
from tests.services.servers import REDIS
from tests.stocked_store import make_feature, make_group, put_history
from tests.stores.test_online_store import KEYS, NOON, row

pytestmark = pytest.mark.django_db


def in_redis(configuration: Configuration, url: str) -> None:
    place = configuration.feature_store.model_copy(update={"online_store": url})
    settings.FEATURESTORE = dataclasses.replace(configuration, feature_store=place)


class RedisServer:
    """A Redis server, and the keys that this test has in it."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def keys(self) -> list[bytes]:
        return list(self.client.scan_iter(f"{redis_online.PREFIX}*"))

    def lose_everything(self) -> None:
        for key in self.keys():
            self.client.delete(key)


@pytest.fixture
def redis_server(configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """The configured online store is a Redis server, in which this test has a prefix of its own."""
    REDIS.needed()
    monkeypatch.setattr(redis_online, "PREFIX", f"featurestore-test-{uuid4().hex}")
    in_redis(configuration, REDIS.url)
    with Redis.from_url(REDIS.url) as client:
        server = RedisServer(client)
        yield server
        server.lose_everything()


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest) -> OnlineStore:
    if request.param == "redis":
        request.getfixturevalue("redis_server")
    return online_store()


@pytest.fixture
def group() -> FeatureGroup:
    return make_group("finance")


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
        (row(value=2.0, arrival=2**62 + 1), True),
    ],
)
def test_the_newest_row_wins(store: OnlineStore, group: FeatureGroup, later: OnlineRow, wins: bool) -> None:
    assert store.upsert(group.pk, [row()]) == 1
    assert store.upsert(group.pk, [later]) == int(wins)
    assert store.read({group.pk: ["1"]})[group.pk, "1"] == (later if wins else row())


@pytest.mark.parametrize("part", ["event", "created", "arrival"])
@pytest.mark.parametrize("place", [0, 2**31 - 1, 2**32 - 1, 2**32, 2**53, 2**62, -(2**32), -(2**62)])
def test_ranks_one_apart_are_told_apart(store: OnlineStore, group: FeatureGroup, part: str, place: int) -> None:
    old, new = row(value=1.0, **{part: place}), row(value=2.0, **{part: place + 1})
    assert store.upsert(group.pk, [old]) == 1
    assert store.upsert(group.pk, [new]) == 1
    assert store.upsert(group.pk, [old]) == 0
    assert store.read({group.pk: ["1"]})[group.pk, "1"] == new


def test_keys_are_compared_byte_by_byte(store: OnlineStore, group: FeatureGroup) -> None:
    store.upsert(group.pk, [row(key, float(number)) for number, key in enumerate(KEYS)])
    stored = store.read({group.pk: KEYS})
    assert [stored[group.pk, key].values["value_v1"] for key in KEYS] == [float(number) for number in range(len(KEYS))]
    assert store.count(group.pk) == len(KEYS)


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(2**63), 2**63 - 1, 1.5, 1e-300, "", "客户 🙂\n\0", [1.5, None], [], "2025-01-01T00:00:00Z"],
)
def test_values_come_back_as_they_were(store: OnlineStore, group: FeatureGroup, value: Any) -> None:
    if isinstance(value, str) and "\0" in value:
        value = value.replace("\0", "")
    store.upsert(group.pk, [row(value=value)])
    found = store.read({group.pk: ["1"]})[group.pk, "1"].values["value_v1"]
    assert (found, type(found)) == (value, type(value))


def test_groups_are_apart_and_unknown_keys_absent(store: OnlineStore, group: FeatureGroup) -> None:
    other = make_group("habits")
    store.upsert(group.pk, [row("1", 1.0), row("2", 2.0)])
    store.upsert(other.pk, [row("1", 10.0)])
    found = store.read({group.pk: ["1", "1", "unknown"], other.pk: ["1", "2"]})
    assert {place: stored.values["value_v1"] for place, stored in found.items()} == {
        (group.pk, "1"): 1.0,
        (other.pk, "1"): 10.0,
    }
    assert store.read({}) == store.read({group.pk: []}) == {}


def test_many_rows_with_progress(store: OnlineStore, group: FeatureGroup) -> None:
    keys = [str(number) for number in range(4_500)]
    seen: list[int] = []
    assert store.upsert(group.pk, (row(key) for key in keys), seen.append) == len(keys)
    assert sum(seen) == len(keys)
    assert len(seen) > 1
    assert set(store.read({group.pk: keys})) == {(group.pk, key) for key in keys}


class TestReplacing:
    def test_the_rows_are_exactly_these(self, store: OnlineStore, group: FeatureGroup) -> None:
        other = make_group("habits")
        store.upsert(group.pk, [row("1"), row("2", event=NOON + 5)])
        store.upsert(other.pk, [row("1")])
        assert store.replace(group.pk, [row("2", 7.0), row("3", 8.0)]) == 2
        found = store.read({group.pk: ["1", "2", "3"], other.pk: ["1"]})
        assert set(found) == {(group.pk, "2"), (group.pk, "3"), (other.pk, "1")}
        assert found[group.pk, "2"] == row("2", 7.0)

    def test_by_nothing(self, store: OnlineStore, group: FeatureGroup) -> None:
        store.upsert(group.pk, [row("1")])
        assert store.sample(group.pk) == "1"
        assert store.replace(group.pk, []) == 0
        assert (store.count(group.pk), store.sample(group.pk)) == (0, None)

    def test_a_failure_leaves_the_old_rows(self, store: OnlineStore, group: FeatureGroup) -> None:
        store.upsert(group.pk, [row("1")])

        def breaks_off() -> Iterator[OnlineRow]:
            yield from (row(f"new {number}") for number in range(1_500))
            raise RuntimeError("the history cannot be read")

        with pytest.raises(RuntimeError, match="cannot be read"):
            store.replace(group.pk, breaks_off())
        assert (store.count(group.pk), store.sample(group.pk)) == (1, "1")


@pytest.mark.services
class TestInRedis:
    def test_nothing_of_a_replacement_is_left_over_and_the_rows_stay(
        self, redis_server: RedisServer, group: FeatureGroup
    ) -> None:
        online_store().replace(group.pk, [row("1")])
        (key,) = redis_server.keys()
        assert redis_server.client.ttl(key) == -1
        assert FeatureValue.objects.count() == 0

    def test_what_was_lost_is_carried_over_again(self, redis_server: RedisServer, group: FeatureGroup) -> None:
        make_feature(group, "balance")
        event = datetime(2025, 3, 1, tzinfo=UTC)
        put_history(group, [{"key": "a", "event": event, "balance_v1": 1.5}])
        materialize_group(group)
        assert MaterializedTable.objects.get(group=group).online_rows == 1
        redis_server.lose_everything()
        put_history(group, [{"key": "b", "event": event, "balance_v1": 2.5}])
        materialize_group(group)
        found = online_store().read({group.pk: ["a", "b"]})
        assert {key: found[group.pk, key].values for key in ("a", "b")} == {
            "a": {"balance_v1": 1.5},
            "b": {"balance_v1": 2.5},
        }

    def test_health_asks_it(self, redis_server: RedisServer) -> None:
        assert store_health().checks["online_store"].state is CheckState.PASS


class TestAway:
    def test_it_is_unavailable_with_the_reason_and_without_the_address(
        self, configuration: Configuration, group: FeatureGroup
    ) -> None:
        in_redis(configuration, "redis://:hidden@127.0.0.1:9/0")
        with pytest.raises(Unavailable, match=r"the online store \(Redis\) does not answer: ConnectionError") as error:
            online_store().read({group.pk: ["1"]})
        assert "hidden" not in error.value.message

    def test_health_says_so(self, configuration: Configuration) -> None:
        in_redis(configuration, "redis://127.0.0.1:9/0")
        health = store_health()
        assert not health.healthy
        assert health.checks["online_store"].message == "the online store does not answer"

    def test_the_database_store_is_not_asked(self, configuration: Configuration) -> None:
        assert isinstance(online_store(), DatabaseOnlineStore)
        assert "online_store" not in store_health().checks

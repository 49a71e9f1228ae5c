"""The online store's promises, kept by Redis: those that the database keeps in test_online_store."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from django.conf import settings
from redis import Redis

from catalog.access import Role
from catalog.errors import Unavailable
from catalog.models import FeatureGroup
from featurestore_site.configuration import Configuration
from ingestion.health import CheckState, store_health
from ingestion.tasks import expire_online, materialize_due
from serving import materialization
from serving.expiry import expire_group, groups_that_lack_expired_rows, lacks_expired_rows
from serving.materialization import materialize_group
from serving.models import FeatureValue, MaterializedTable
from serving.models.fields import UNKNOWN_US, to_microseconds
from serving.stores import redis_online
from serving.stores.offline import LeaseLost
from serving.stores.online import READ_CHUNK, DatabaseOnlineStore, OnlineStore, online_store
from serving.stores.online_batches import BATCH_ROWS, OnlineRow, in_batches
from tests.services.servers import REDIS
from tests.stocked_store import client_of, make_feature, make_group, make_user, put_history
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
    assert store.upsert(group.pk, in_batches([row()])) == 1
    assert store.upsert(group.pk, in_batches([later])) == int(wins)
    assert store.read({group.pk: ["1"]})[group.pk, "1"] == (later if wins else row())


@pytest.mark.parametrize("part", ["event", "created", "arrival"])
@pytest.mark.parametrize("place", [0, 2**31 - 1, 2**32 - 1, 2**32, 2**53, 2**62, -(2**32), -(2**62)])
def test_ranks_one_apart_are_told_apart(store: OnlineStore, group: FeatureGroup, part: str, place: int) -> None:
    old, new = row(value=1.0, **{part: place}), row(value=2.0, **{part: place + 1})
    assert store.upsert(group.pk, in_batches([old])) == 1
    assert store.upsert(group.pk, in_batches([new])) == 1
    assert store.upsert(group.pk, in_batches([old])) == 0
    assert store.read({group.pk: ["1"]})[group.pk, "1"] == new


def test_keys_are_compared_byte_by_byte(store: OnlineStore, group: FeatureGroup) -> None:
    store.upsert(group.pk, in_batches([row(key, float(number)) for number, key in enumerate(KEYS)]))
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
    store.upsert(group.pk, in_batches([row(value=value)]))
    found = store.read({group.pk: ["1"]})[group.pk, "1"].values["value_v1"]
    assert (found, type(found)) == (value, type(value))


def test_groups_are_apart_and_unknown_keys_absent(store: OnlineStore, group: FeatureGroup) -> None:
    other = make_group("habits")
    store.upsert(group.pk, in_batches([row("1", 1.0), row("2", 2.0)]))
    store.upsert(other.pk, in_batches([row("1", 10.0)]))
    found = store.read({group.pk: ["1", "1", "unknown"], other.pk: ["1", "2"]})
    assert {place: stored.values["value_v1"] for place, stored in found.items()} == {
        (group.pk, "1"): 1.0,
        (other.pk, "1"): 10.0,
    }
    assert store.read({}) == store.read({group.pk: []}) == {}


def test_many_rows_with_progress(store: OnlineStore, group: FeatureGroup) -> None:
    keys = [str(number) for number in range(BATCH_ROWS + 500)]
    seen: list[int] = []
    assert store.upsert(group.pk, in_batches(row(key) for key in keys), seen.append) == len(keys)
    assert seen == [BATCH_ROWS, 500]
    assert set(store.read({group.pk: keys})) == {(group.pk, key) for key in keys}


class TestReplacing:
    def test_the_rows_are_exactly_these(self, store: OnlineStore, group: FeatureGroup) -> None:
        other = make_group("habits")
        store.upsert(group.pk, in_batches([row("1"), row("2", event=NOON + 5)]))
        store.upsert(other.pk, in_batches([row("1")]))
        assert store.replace(group.pk, in_batches([row("2", 7.0), row("3", 8.0)])) == 2
        found = store.read({group.pk: ["1", "2", "3"], other.pk: ["1"]})
        assert set(found) == {(group.pk, "2"), (group.pk, "3"), (other.pk, "1")}
        assert found[group.pk, "2"] == row("2", 7.0)

    def test_by_nothing(self, store: OnlineStore, group: FeatureGroup) -> None:
        store.upsert(group.pk, in_batches([row("1")]))
        assert store.sample(group.pk) == "1"
        assert store.replace(group.pk, in_batches([])) == 0
        assert (store.count(group.pk), store.sample(group.pk)) == (0, None)

    def test_a_failure_leaves_the_old_rows(self, store: OnlineStore, group: FeatureGroup) -> None:
        store.upsert(group.pk, in_batches([row("1")]))

        def breaks_off() -> Iterator[OnlineRow]:
            yield from (row(f"new {number}") for number in range(1_500))
            raise RuntimeError("the history cannot be read")

        with pytest.raises(RuntimeError, match="cannot be read"):
            store.replace(group.pk, in_batches(breaks_off()))
        assert (store.count(group.pk), store.sample(group.pk)) == (1, "1")


@pytest.mark.services
class TestInRedis:
    def test_nothing_of_a_replacement_is_left_over_and_the_rows_stay(
        self, redis_server: RedisServer, group: FeatureGroup
    ) -> None:
        online_store().replace(group.pk, in_batches([row("1")]))
        keys = redis_server.keys()
        assert len(keys) == 2  # the rows and their revision
        assert {redis_server.client.ttl(key) for key in keys} == {-1}
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

    def test_rows_made_anew_do_not_change_over_when_the_group_was_lost(
        self, redis_server: RedisServer, group: FeatureGroup
    ) -> None:
        make_feature(group, "x")
        event = datetime(2025, 3, 1, tzinfo=UTC)
        put_history(group, [{"key": "a", "event": event, "x_v1": 1.5}])
        materialize_group(group)
        online_store().upsert(group.pk, in_batches([OnlineRow("a", {"x_v1": 9.0}, 2 * NOON, NOON, 1, "another")]))
        prepared = materialization.prepare(group, rebuild=True)
        assert prepared is not None
        asked: list[int] = []

        def lost_at_last() -> None:
            asked.append(len(redis_server.keys()))
            if len(asked) == 2:
                raise LeaseLost("another run has taken over the group")

        with pytest.raises(LeaseLost):
            materialization.carry_ahead(prepared, hold=lost_at_last)

        assert asked == [2, 3]
        assert online_store().read({group.pk: ["a"]})[group.pk, "a"].values == {"x_v1": 9.0}
        assert len(redis_server.keys()) == 2

    def test_health_asks_it(self, redis_server: RedisServer) -> None:
        assert store_health().checks["online_store"].state is CheckState.PASS


@pytest.mark.services
class TestExpiry:
    """Max age is a day: a row answers for a day, is kept for another, and then makes room."""

    NOW = datetime(2025, 3, 10, tzinfo=UTC)

    @pytest.fixture
    def aged(self, redis_server: RedisServer, group: FeatureGroup) -> FeatureGroup:
        FeatureGroup.objects.update(max_age=timedelta(days=1))
        group.refresh_from_db()
        make_feature(group, "x")
        hours = {"new": 1, "old": 47, "gone": 49}
        events = {key: self.NOW - timedelta(hours=ago) for key, ago in hours.items()}
        events["on the bound"] = self.NOW - timedelta(hours=48)
        put_history(group, [{"key": key, "event": event, "x_v1": 1.5} for key, event in events.items()])
        materialize_group(group)
        assert self.keys(group) == {"new", "old", "gone", "on the bound"}
        return group

    def keys(self, group: FeatureGroup) -> set[str]:
        asked = ["new", "old", "gone", "on the bound", *(f"k{number}" for number in range(1_000))]
        return {key for _, key in online_store().read({group.pk: asked})}

    def test_what_is_too_old_makes_room(self, aged: FeatureGroup) -> None:
        seen = [online_store().revisions([aged.pk])]
        assert expire_group(aged, at=self.NOW) == 1
        assert self.keys(aged) == {"new", "old", "on the bound"}
        seen.append(online_store().revisions([aged.pk]))
        assert expire_group(aged, at=self.NOW) == 0
        assert len(set(seen)) == 2
        assert seen[-1] == online_store().revisions([aged.pk])

    def test_among_many_rows(self, aged: FeatureGroup) -> None:
        event = to_microseconds(self.NOW) - 1
        old = to_microseconds(self.NOW - timedelta(days=2)) - 1
        rows = [row(f"k{number}", event=event if number % 3 else old) for number in range(1_000)]
        online_store().upsert(aged.pk, in_batches(rows))

        assert expire_group(aged, at=self.NOW) == 1 + 334
        assert self.keys(aged) == {"new", "old", "on the bound", *(f"k{n}" for n in range(1_000) if n % 3)}

    def test_without_a_max_age_nothing_goes(self, aged: FeatureGroup) -> None:
        aged.max_age = None
        assert expire_group(aged, at=self.NOW) == 0
        assert len(self.keys(aged)) == 4

    def test_a_longer_max_age_brings_them_back_from_history(self, aged: FeatureGroup) -> None:
        expire_group(aged, at=self.NOW)
        assert not lacks_expired_rows(aged, at=self.NOW)
        FeatureGroup.objects.update(max_age=timedelta(days=3))
        assert groups_that_lack_expired_rows(at=self.NOW) == [aged]
        FeatureGroup.objects.update(max_age=None)

        materialize_due()

        assert self.keys(aged) == {"new", "old", "gone", "on the bound"}
        assert groups_that_lack_expired_rows(at=self.NOW) == []

    def test_when_all_expired_the_history_is_not_read_again(
        self, aged: FeatureGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert expire_group(aged, at=self.NOW + timedelta(days=30)) == 4
        prepared = materialization.prepare(aged, at=self.NOW)
        assert prepared is not None
        assert (prepared.latest.count, prepared.replaces) == (4, True)  # At that time they would answer again,
        prepared = materialization.prepare(aged, at=self.NOW + timedelta(days=30))
        assert prepared is not None
        assert (prepared.latest.count, prepared.replaces) == (0, False)  # and at this one not.

    def test_the_housekeeping_task(self, aged: FeatureGroup) -> None:
        expire_online()
        assert self.keys(aged) == set()


@pytest.mark.services
class TestAnswers:
    def test_are_as_those_of_the_database(self, redis_server: RedisServer, group: FeatureGroup) -> None:
        make_feature(group, "x", "integer")
        put_history(group, [{"key": "1", "event": datetime(2025, 3, 1, tzinfo=UTC), "x_v1": 2**53 + 1}])
        materialize_group(group)
        client = client_of(make_user("reader", Role.DATA_SCIENTIST))

        answer = client.post("/api/v1/features/batch", {"entity_id": 1, "features": ["x"]}, "application/json")

        assert (answer.status_code, answer.json()["features"]) == (200, {"x": 2**53 + 1})


class TestAway:
    def test_it_is_unavailable_with_the_reason_and_without_the_address(
        self, configuration: Configuration, group: FeatureGroup
    ) -> None:
        in_redis(configuration, "redis://:hidden@127.0.0.1:9/0")
        with pytest.raises(Unavailable, match=r"the online store \(Redis\) does not answer: ConnectionError") as error:
            online_store().read({group.pk: ["1"]})
        assert "hidden" not in error.value.message

    def test_a_reader_is_told_with_503_and_no_value(self, configuration: Configuration, group: FeatureGroup) -> None:
        """What the database has of another time is not handed out instead."""
        make_feature(group, "x")
        DatabaseOnlineStore().upsert(group.pk, in_batches([OnlineRow("1", {"x_v1": 1.0}, NOON, NOON, 1, "run")]))
        client = client_of(make_user("reader", Role.DATA_SCIENTIST))
        in_redis(configuration, "redis://:hidden@127.0.0.1:9/0")

        batch = client.post("/api/v1/features/batch", {"entity_id": 1, "features": ["x"]}, "application/json")
        single = client.get("/api/v1/features/x/entity/1")

        for answer in (batch, single):
            assert answer.status_code == 503
            assert answer.json()["error"]["message"].startswith("the online store (Redis) does not answer: ")
            assert b"hidden" not in answer.content

    def test_health_says_so(self, configuration: Configuration) -> None:
        in_redis(configuration, "redis://127.0.0.1:9/0")
        health = store_health()
        assert not health.healthy
        assert health.checks["online_store"].message == "the online store does not answer"

    def test_the_database_store_is_not_asked(self, configuration: Configuration) -> None:
        assert isinstance(online_store(), DatabaseOnlineStore)
        assert "online_store" not in store_health().checks


class TestRevisions:
    """Whoever keeps what was made of rows learns by the revision that they have changed."""

    WRITES: ClassVar[dict[str, Callable[[Any, int], object]]] = {
        "a new row": lambda store, group: store.upsert(group, in_batches([row("2")])),
        "a newer row": lambda store, group: store.upsert(group, in_batches([row(event=NOON + 1)])),
        "other rows": lambda store, group: store.replace(group, in_batches([row("1"), row("2")])),
        "the same rows anew": lambda store, group: store.replace(group, in_batches([row("1")])),
        "no rows": lambda store, group: store.replace(group, in_batches([])),
    }

    def test_a_group_has_none_before_its_first_row(self, store: OnlineStore, group: FeatureGroup) -> None:
        other = make_group("habits")
        store.upsert(other.pk, in_batches([row("1")]))

        assert store.revisions([group.pk]) is None
        assert store.revisions([group.pk, other.pk]) is None
        rows, revisions = store.read_with_revisions({group.pk: ["1"], other.pk: ["1"]})
        assert (set(rows), revisions) == ({(other.pk, "1")}, None)

    @pytest.mark.parametrize("write", WRITES)
    def test_what_writes_rows_of_a_group_gives_it_another(
        self, store: OnlineStore, group: FeatureGroup, write: str
    ) -> None:
        other = make_group("habits")
        for each in (group, other):
            store.upsert(each.pk, in_batches([row("1")]))
        before, of_the_other = store.revisions([group.pk]), store.revisions([other.pk])
        assert before is not None
        assert of_the_other is not None

        self.WRITES[write](store, group.pk)

        after = store.revisions([group.pk])
        assert after is not None
        assert after != before
        assert store.revisions([other.pk]) == of_the_other

    def test_an_older_row_changes_nothing(self, store: OnlineStore, group: FeatureGroup) -> None:
        store.upsert(group.pk, in_batches([row("1")]))
        before = store.revisions([group.pk])

        assert store.upsert(group.pk, in_batches([row("1", event=NOON - 1)])) == 0

        assert store.revisions([group.pk]) == before

    @pytest.mark.parametrize("keys", [1, READ_CHUNK, READ_CHUNK + 1])
    def test_they_come_with_the_rows(self, store: OnlineStore, group: FeatureGroup, keys: int) -> None:
        other = make_group("habits")
        for each in (group, other):
            store.upsert(each.pk, in_batches([row("1"), row("2")]))
        asked = {other.pk: ["2"], group.pk: [str(number) for number in range(1, keys + 1)]}

        rows, revisions = store.read_with_revisions(asked)

        assert rows == store.read(asked)
        assert (other.pk, "2") in rows
        assert revisions == store.revisions([group.pk, other.pk]) == store.revisions([other.pk, group.pk])

    def test_of_nothing(self, store: OnlineStore, group: FeatureGroup) -> None:
        assert store.read_with_revisions({}) == ({}, None)

"""What stands in the history is what is answered, to the last digit, whatever the online store is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from redis import Redis

from catalog.access import Role
from catalog.models import FeatureGroup
from featurestore_site.configuration import Configuration
from serving.materialization import materialize_group
from serving.stores import redis_online
from tests.services.servers import REDIS
from tests.stocked_store import DAY, client_of, make_feature, make_group, make_user, put_history
from tests.stores.test_redis_online_store import in_redis

pytestmark = pytest.mark.django_db

NAN, INFINITY = float("nan"), float("inf")
KEYS = ["A", "a", "a ", "ä", "a\u0308", "客户 🙂", "'\"\\", "01", "1", "x" * 255]
# By data type: what history holds, and what JSON has of it.
VALUES: dict[str, list[tuple[Any, Any]]] = {
    "integer": [(number, number) for number in (0, -1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63))],
    "float": [
        *((number, number) for number in (0.1, -0.0, 1.0, 1e16, 1e22, 1e-300, 5e-324, 1.7976931348623157e308)),
        *((number, None) for number in (NAN, INFINITY, -INFINITY)),
    ],
    "boolean": [(True, True), (False, False)],
    "string": [(text, text) for text in ("", " a ", "Zürich 客户 🙂", "\"'\\\n\t%s", "null", "x" * 10_000)],
    "timestamp": [
        (datetime(2025, 3, 1, 23, 59, 59, 999_999, UTC), "2025-03-01T23:59:59.999999Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
        (datetime(1969, 12, 31, 23, 59, 59, 1, UTC), "1969-12-31T23:59:59.000001Z"),
        (datetime(9999, 12, 31, tzinfo=UTC), "9999-12-31T00:00:00.000000Z"),
    ],
    "float_list": [([0.1, -2.5, 3.0], [0.1, -2.5, 3.0]), ([], []), ([NAN, 1.0], [None, 1.0])],
}


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.services)], autouse=True)
def online_store_of_the_test(
    request: pytest.FixtureRequest, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    if request.param == "database":
        assert settings.FEATURESTORE.feature_store.online_store == "database"
        yield
        return
    REDIS.needed()
    monkeypatch.setattr(redis_online, "PREFIX", f"featurestore-test-{uuid4().hex}")
    in_redis(configuration, REDIS.url)
    yield
    with Redis.from_url(REDIS.url) as client:
        for key in client.scan_iter(f"{redis_online.PREFIX}*"):
            client.delete(key)


def carried(data_type: str, values: list[Any], keys: list[str]) -> FeatureGroup:
    group = make_group("finance")
    make_feature(group, "x", data_type)
    put_history(group, [{"key": key, "event": DAY, "x_v1": value} for key, value in zip(keys, values, strict=True)])
    materialize_group(group)
    return group


def answers(keys: list[str]) -> list[Any]:
    client = client_of(make_user("reader", Role.DATA_SCIENTIST))
    body = {"entity_ids": keys, "features": ["x"]}
    answer = client.post("/api/v1/features/batch", json.dumps(body), "application/json")
    assert answer.status_code == 200
    return [result["features"]["x"] for result in json.loads(answer.content)["results"]]


@pytest.mark.parametrize("data_type", list(VALUES))
def test_values_of_every_type(data_type: str) -> None:
    stored = [*(value for value, _ in VALUES[data_type]), None]
    expected = [*(value for _, value in VALUES[data_type]), None]
    keys = [str(number) for number in range(len(stored))]
    carried(data_type, stored, keys)

    found = answers(keys)

    # The sign of zero, and that 1e16 stays a float, show in the text only.
    assert [repr(value) for value in found] == [repr(value) for value in expected]


def test_keys_of_every_kind() -> None:
    carried("integer", list(range(len(KEYS))), KEYS)
    assert answers([*KEYS, "A ", "É"]) == [*range(len(KEYS)), None, None]

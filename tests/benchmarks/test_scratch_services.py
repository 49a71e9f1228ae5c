"""A run has its Redis database to itself from the first moment on, and takes nobody else's rows with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from benchmarks.scratch_services import CLAIM, scratch_redis
from tests.services.servers import REDIS, other_redis_database

pytestmark = pytest.mark.services

# A database of its own on the server: runs empty theirs.
URL = other_redis_database(3)


@pytest.fixture
def client() -> Iterator[Redis]:
    REDIS.needed()
    with Redis.from_url(URL) as client:
        if client.dbsize():
            pytest.skip(f"{URL} is not empty")
        yield client
        client.delete(CLAIM, "somebody's")


def test_it_is_emptied_at_the_end(client: Redis) -> None:
    with scratch_redis(URL) as address:
        client.set("a row", 1)
        assert address == URL

    assert client.dbsize() == 0


def test_a_second_run_is_refused_before_the_first_has_written_anything(client: Redis) -> None:
    with scratch_redis(URL):
        with pytest.raises(RuntimeError, match="is not empty; name another database by --redis"), scratch_redis(URL):
            pytest.fail("two runs have the same database")
        # And the refused one has left it to the first.
        assert client.exists(CLAIM) == 1


def test_what_lies_there_is_somebodys(client: Redis) -> None:
    client.set("somebody's", 1)

    with pytest.raises(RuntimeError, match="is not empty"), scratch_redis(URL):
        pytest.fail("a database that is in use was taken")

    assert client.get("somebody's") == b"1"


def test_a_run_whose_database_was_emptied_says_so_and_leaves_what_came_after(client: Redis) -> None:
    with pytest.raises(RuntimeError, match="somebody else has emptied"), scratch_redis(URL):  # noqa: PT012
        client.flushdb()
        client.set("somebody's", 1)

    assert client.get("somebody's") == b"1"

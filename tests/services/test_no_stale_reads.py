"""Once a commit is acknowledged, every reader finds its values or newer ones, and never a part of a row."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from redis import Redis

from tests.installation import Installation
from tests.services.servers import REDIS, other_redis_database

pytestmark = [pytest.mark.services, pytest.mark.slow]

CASES = {f"{size}, {rows}" for size in ("together", "in batches") for rows in ("new rows", "all rows anew")}


def check(installation: Installation) -> None:
    printed = installation.run("-m", "tests.stores.reading_while_writing", timeout=900)
    found = json.loads(printed.splitlines()[-1])
    assert set(found) == CASES
    assert {case: wrong for case, (wrong, _) in found.items() if wrong} == {}
    assert all(reads > 0 for _, reads in found.values())


def check_another_process(installation: Installation) -> None:
    printed = installation.run("-m", "tests.stores.reading_in_another_process", timeout=900)
    found = json.loads(printed.splitlines()[-1])
    assert (found["wrong"], found["kept"]) == ([], True)
    assert found["reads"] > 60


def test_of_the_database(installation: Installation) -> None:
    check(installation)


def test_of_the_database_in_another_process(installation: Installation) -> None:
    check_another_process(installation)


def test_of_redis(tmp_path_factory: pytest.TempPathFactory) -> None:
    REDIS.needed()
    folder = tmp_path_factory.mktemp("redis")
    # A database of its own on the server, as the names of groups begin at one again.
    url = other_redis_database(2)
    with Redis.from_url(url) as client:
        if client.dbsize():
            pytest.skip(f"{url} is not empty")
        made = Installation(folder, f"sqlite:///{folder / 'store.db'}")
        made = replace(made, variables={"FEATURESTORE_ONLINE_STORE": url})
        made.prepare()
        try:
            check(made)
            check_another_process(made)
        finally:
            client.flushdb()

"""A database and a Redis of the run's own, on servers that are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import redis
from psycopg import sql

CLAIM = "featurestore:benchmark"
# Each looks and acts in one step, so that two runs at once never both find the same database empty, nor empty it
# under each other: between the look and the first row of a large run lie minutes.
_TAKE = "if redis.call('DBSIZE') > 0 then return 0 end redis.call('SET', KEYS[1], ARGV[1]) return 1"
_EMPTY = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('FLUSHDB') return 1 end return 0"


@contextmanager
def scratch_database(server: str) -> Iterator[str]:
    """The address of an empty database on a PostgreSQL server, which is dropped at the end."""
    name = f"featurestore_benchmark_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def scratch_redis(address: str) -> Iterator[str]:
    """The address of an empty Redis database, which is this run's from the first moment and emptied at the end.

    :raises RuntimeError: when it is not empty, as what lies there is somebody's; and at the end, when somebody else
        has emptied it meanwhile, as nothing that was measured there is worth anything then.
    """
    run = uuid4().hex
    with redis.Redis.from_url(address) as client:
        if not client.eval(_TAKE, 1, CLAIM, run):
            raise RuntimeError(f"{address} is not empty; name another database by --redis")
        try:
            yield address
        finally:
            was_ours = client.eval(_EMPTY, 1, CLAIM, run)
        if not was_ours:
            raise RuntimeError(f"somebody else has emptied {address} while it was in use")

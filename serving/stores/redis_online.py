"""The online store in Redis: one hash per group, the newest row of each entity key as a field.

A field is 24 bytes of rank (event, created, arrival) and then the row as JSON. What is stored here comes from the
history and can be rebuilt from it at any time. Redis and the application's database have no transaction in common:
rows are written here first, each only over an older one, so that a run that dies before its SQL transaction
writes the same again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson
import redis
from django.conf import settings

from catalog.errors import Unavailable
from serving.stores.online import OnlineRow

PREFIX = "featurestore:online"
READ_CHUNK = 10_000
WRITE_CHUNK = 1_000
CONNECT_SECONDS = 3.0
# A replacement that dies leaves its rows beside the old ones; they go by themselves.
ABANDONED_SECONDS = 6 * 3600

_RANK = struct.Struct(">3Q")
_SIGN = 2**63  # shifts the least 64-bit integer to zero, so that ranks compare as unsigned numbers

# Lua has doubles only: each 64-bit part is compared as two numbers of 32 bits, which are exact.
_UPSERT = """
local changed = 0
for i = 1, #ARGV, 2 do
  local old = redis.call('HGET', KEYS[1], ARGV[i])
  local newer = not old
  if old then
    local a = { struct.unpack('>I4I4I4I4I4I4', ARGV[i + 1]) }
    local b = { struct.unpack('>I4I4I4I4I4I4', old) }
    for j = 1, 6 do
      if a[j] ~= b[j] then
        newer = a[j] > b[j]
        break
      end
    end
  end
  if newer then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    changed = changed + 1
  end
end
return changed
"""


class RedisOnlineStore:
    """The online store of :class:`serving.stores.online.OnlineStore` in a Redis server.

    Every method raises :class:`catalog.errors.Unavailable` when the server does not answer.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._upsert: Any = client.register_script(_UPSERT)

    def read(self, keys: Mapping[int, Sequence[str]]) -> dict[tuple[int, str], OnlineRow]:
        asked: list[tuple[int, list[str]]] = []
        with _answering(), self._client.pipeline(transaction=False) as pipeline:
            for group_id, group_keys in keys.items():
                unique = list(dict.fromkeys(group_keys))
                for start in range(0, len(unique), READ_CHUNK):
                    part = unique[start : start + READ_CHUNK]
                    asked.append((group_id, part))
                    pipeline.hmget(_name(group_id), part)
            answers = pipeline.execute() if asked else []
        return {
            (group_id, key): _decoded(key, stored)
            for (group_id, part), found in zip(asked, answers, strict=True)
            for key, stored in zip(part, found, strict=True)
            if stored is not None
        }

    def upsert(self, group_id: int, rows: Iterable[OnlineRow], progress: Callable[[int], object] | None = None) -> int:
        return self._write(_name(group_id), rows, progress)

    def _write(self, name: str, rows: Iterable[OnlineRow], progress: Callable[[int], object] | None) -> int:
        changed = 0
        iterator = iter(rows)
        while chunk := list(islice(iterator, WRITE_CHUNK)):
            with _answering():
                changed += int(
                    self._upsert(keys=[name], args=[part for row in chunk for part in (row.entity_key, _encoded(row))])
                )
            if progress is not None:
                progress(len(chunk))
        return changed

    def replace(self, group_id: int, rows: Iterable[OnlineRow], progress: Callable[[int], object] | None = None) -> int:
        name = _name(group_id)
        # The braces keep both on one node of a cluster, where alone a rename is possible.
        beside = f"{name}:{uuid4().hex}"
        iterator = iter(rows)
        written = 0
        try:
            while chunk := list(islice(iterator, WRITE_CHUNK)):
                written += self._write(beside, chunk, progress)
                with _answering():
                    self._client.expire(beside, ABANDONED_SECONDS)
        except BaseException:
            with _answering():
                self._client.unlink(beside)
            raise
        with _answering(), self._client.pipeline(transaction=True) as pipeline:
            if written:
                pipeline.persist(beside)
                pipeline.rename(beside, name)
            else:
                pipeline.unlink(name)
            pipeline.execute()
        return written

    def count(self, group_id: int) -> int:
        with _answering():
            return int(self._client.hlen(_name(group_id)))

    def sample(self, group_id: int) -> str | None:
        with _answering():
            key: Any = self._client.hrandfield(_name(group_id))
        return None if key is None else key.decode()

    def check(self) -> None:
        with _answering():
            self._client.ping()


@cache
def redis_online_store(url: str) -> RedisOnlineStore:
    """The online store at ``redis://host:port/number``; connections are shared by the threads of the process."""
    client = redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=settings.FEATURESTORE.serving.request_timeout_seconds,
        health_check_interval=30,
    )
    return RedisOnlineStore(client)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        # The address may hold a password, and so may what the driver says of it.
        raise Unavailable(f"the online store (Redis) does not answer: {type(error).__name__}") from error


def _name(group_id: int) -> str:
    return f"{PREFIX}:{{{group_id}}}"


def _encoded(row: OnlineRow) -> bytes:
    rank = _RANK.pack(*(part + _SIGN for part in row.rank))
    return rank + orjson.dumps([row.values, row.run_id], option=orjson.OPT_PASSTHROUGH_DATETIME)


def _decoded(key: str, stored: bytes) -> OnlineRow:
    event_us, created_us, arrival = (part - _SIGN for part in _RANK.unpack_from(stored))
    values, run_id = orjson.loads(memoryview(stored)[_RANK.size :])
    return OnlineRow(key, values, event_us, created_us, arrival, run_id)

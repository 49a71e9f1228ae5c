"""The online store in Redis: one hash per group, the newest row of each entity key as a field.

A field is 24 bytes of rank (event, created, arrival) and then the row as JSON. What is stored here comes from the
history and can be rebuilt from it at any time. Redis and the application's database have no transaction in common:
rows are written here first, each only over an older one, so that a run that dies before its SQL transaction
writes the same again.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import uuid4

import numpy as np
import orjson
import redis
from django.conf import settings

from catalog.errors import Unavailable
from serving.models import MaterializedTable
from serving.stores.online import Progress, Rows
from serving.stores.online_batches import OnlineBatch, OnlineRow
from serving.stores.online_revisions import Revisions, new_revision, of_all
from serving.stores.redis_scripts import EXPIRE, UPSERT

PREFIX = "featurestore:online"
READ_CHUNK = 10_000
# Nobody else is served while a script runs, so one takes few rows; a pipeline sends many scripts at once.
SCRIPT_ROWS = 200
CONNECT_SECONDS = 3.0
# A replacement that dies leaves its rows beside the old ones; they go by themselves.
ABANDONED_SECONDS = 6 * 3600

_RANK = struct.Struct(">3Q")
_SIGN = 2**63  # shifts the least 64-bit integer to zero, so that ranks compare as unsigned numbers


class RedisOnlineStore:
    """The online store of :class:`serving.stores.online.OnlineStore` in a Redis server.

    Every method raises :class:`catalog.errors.Unavailable` when the server does not answer.
    """

    in_database = False

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._upsert: Any = client.register_script(UPSERT)
        self._expire: Any = client.register_script(EXPIRE)

    def read(self, keys: Mapping[int, Sequence[str]]) -> Rows:
        return self._read(keys, marked=())[0]

    def read_with_revisions(self, keys: Mapping[int, Sequence[str]]) -> tuple[Rows, Revisions | None]:
        groups = tuple(keys)
        found, revisions = self._read(keys, marked=groups)
        return found, _revisions(groups, revisions)

    def revisions(self, groups: Sequence[int]) -> Revisions | None:
        return _revisions(groups, self._read({}, marked=groups)[1])

    def _read(self, keys: Mapping[int, Sequence[str]], *, marked: Sequence[int]) -> tuple[Rows, list[bytes | None]]:
        asked: list[tuple[int, list[str]]] = []
        with _answering(), self._client.pipeline(transaction=False) as pipeline:
            # The revisions first: what is written in between makes the rows newer than they are said to be.
            for group_id in marked:
                pipeline.get(_revision_name(group_id))
            for group_id, group_keys in keys.items():
                unique = list(dict.fromkeys(group_keys))
                for start in range(0, len(unique), READ_CHUNK):
                    part = unique[start : start + READ_CHUNK]
                    asked.append((group_id, part))
                    pipeline.hmget(_name(group_id), part)
            answers = pipeline.execute() if asked or marked else []
        found: Rows = {}
        incomplete = set()
        for (group_id, part), stored_ones in zip(asked, answers[len(marked) :], strict=True):
            for key, stored in zip(part, stored_ones, strict=True):
                if stored is None:
                    incomplete.add(group_id)
                else:
                    found[group_id, key] = _decoded(key, stored)
        if incomplete:
            self._refuse_lost(incomplete)
        return found, answers[: len(marked)]

    def _refuse_lost(self, group_ids: Collection[int]) -> None:
        """A group that had rows and has none was lost: its keys are not there, and nobody may take them for unknown."""
        empty = self.without_rows(group_ids)
        if not empty:
            return
        had_rows = MaterializedTable.objects.filter(group__in=empty, online_rows__gt=0)
        names = sorted(had_rows.values_list("group__name", flat=True))
        if names:
            raise Unavailable(
                f"the online store (Redis) has lost the rows of {', '.join(names)}: they come back from the history "
                f"within a minute where a scheduler and a worker run, or by manage.py materialize"
            )

    def upsert(self, group_id: int, batches: Iterable[OnlineBatch], progress: Progress | None = None) -> int:
        changed = 0
        for batch in batches:
            with _answering(), self._client.pipeline(transaction=False) as pipeline:
                for part in batch.parts(SCRIPT_ROWS):
                    fields = [value for field in _fields(part) for value in field]
                    names = [_name(group_id), _revision_name(group_id)]
                    self._upsert(keys=names, args=[new_revision(), *fields], client=pipeline)
                changed += sum(pipeline.execute())
            if progress is not None:
                progress(len(batch))
        return changed

    def replace(self, group_id: int, batches: Iterable[OnlineBatch], progress: Progress | None = None) -> int:
        name = _name(group_id)
        # The braces keep both on one node of a cluster, where alone a rename is possible.
        beside = f"{name}:{uuid4().hex}"
        written = 0
        try:
            for batch in batches:
                with _answering(), self._client.pipeline(transaction=False) as pipeline:
                    for part in batch.parts(SCRIPT_ROWS):
                        pipeline.hset(beside, mapping=dict(_fields(part)))
                    pipeline.expire(beside, ABANDONED_SECONDS)
                    pipeline.execute()
                written += len(batch)
                if progress is not None:
                    progress(len(batch))
        except BaseException:
            with _answering():
                self._client.unlink(beside)
            raise
        with _answering(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.set(_revision_name(group_id), new_revision())
            # All rows are there again, whatever had expired.
            pipeline.unlink(_bound_name(group_id))
            if written:
                pipeline.persist(beside)
                pipeline.rename(beside, name)
            else:
                pipeline.unlink(name)
            pipeline.execute()
        return written

    def expire_before(self, group_id: int, event_us: int) -> int:
        """Delete the group's rows of events before that instant; how many they were.

        The instant is kept with what it deleted (see :meth:`expired_before`): nobody takes that for never there.
        """
        keys = [_name(group_id), _bound_name(group_id), _revision_name(group_id)]
        high, low = divmod(event_us + _SIGN, 2**32)
        expired, cursor = 0, b"0"
        with _answering():
            while True:
                arguments = [cursor, high, low, SCRIPT_ROWS, event_us, new_revision()]
                cursor, deleted = self._expire(keys=keys, args=arguments)
                expired += deleted
                if int(cursor) == 0:
                    return expired

    def expired_before(self, group_id: int) -> int | None:
        """Rows of events before that instant may be gone; None when all are there that were written."""
        with _answering():
            bound: Any = self._client.get(_bound_name(group_id))
        return None if bound is None else int(bound)

    def count(self, group_id: int) -> int:
        with _answering():
            return int(self._client.hlen(_name(group_id)))

    def sample(self, group_id: int) -> str | None:
        with _answering():
            key: Any = self._client.hrandfield(_name(group_id))
        return None if key is None else key.decode()

    def without_rows(self, group_ids: Collection[int]) -> set[int]:
        # Of one moment: rows that are made anew come as the instant goes up to which they had expired.
        with _answering(), self._client.pipeline(transaction=True) as pipeline:
            for group_id in group_ids:
                pipeline.exists(_name(group_id), _bound_name(group_id))
            there = pipeline.execute()
        return {group_id for group_id, count in zip(group_ids, there, strict=True) if not count}

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


def _bound_name(group_id: int) -> str:
    return f"{_name(group_id)}:expired-before"


def _revision_name(group_id: int) -> str:
    return f"{_name(group_id)}:revision"


def _revisions(groups: Sequence[int], stored: Sequence[bytes | None]) -> Revisions | None:
    found = [(group, int(text)) for group, text in zip(groups, stored, strict=True) if text is not None]
    return of_all(found, groups)


def _fields(batch: OnlineBatch) -> Iterator[tuple[str, bytes]]:
    """The name and the content of the field of each row."""
    signed = np.array([batch.event_us, batch.created_us, batch.arrivals], dtype=np.int64).T
    # Turning the sign bit round shifts the least integer to zero.
    ranks = (np.ascontiguousarray(signed).view(np.uint64) ^ np.uint64(_SIGN)).astype(">u8").tobytes()
    runs = {run_id: orjson.dumps(run_id) for run_id in set(batch.run_ids)}
    for position, (key, document, run_id) in enumerate(
        zip(batch.entity_keys, batch.documents, batch.run_ids, strict=True)
    ):
        rank = ranks[position * _RANK.size : (position + 1) * _RANK.size]
        yield key, b"%b[%b,%b]" % (rank, document.encode(), runs[run_id])


def _decoded(key: str, stored: bytes) -> OnlineRow:
    event_us, created_us, arrival = (part - _SIGN for part in _RANK.unpack_from(stored))
    values, run_id = orjson.loads(memoryview(stored)[_RANK.size :])
    return OnlineRow(key, values, event_us, created_us, arrival, run_id)

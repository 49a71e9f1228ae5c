"""The online store: the newest value row per group and entity key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import orjson
from django.conf import settings
from django.db import DatabaseError, connections, router, transaction
from django.utils.module_loading import import_string

from catalog.errors import Unavailable
from serving.models import FeatureValue
from serving.stores import online_sql

DATABASE = "database"
READ_CHUNK = 400
WRITE_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class OnlineRow:
    """One stored row.

    ``values`` are JSON values by value column. ``event_us`` and ``created_us`` count microseconds since 1970 UTC;
    an unknown created timestamp is :data:`serving.models.fields.UNKNOWN_US` and an unknown arrival -1, so that both
    come first.
    """

    entity_key: str
    values: dict[str, Any]
    event_us: int
    created_us: int
    arrival: int
    run_id: str

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.event_us, self.created_us, self.arrival


class OnlineStore(Protocol):
    """What a store must do to serve: the same for every engine."""

    def read(self, keys: Mapping[int, Sequence[str]]) -> dict[tuple[int, str], OnlineRow]:
        """The rows of the entity keys per group id; a key without a row is absent."""

    def upsert(self, group_id: int, rows: Iterable[OnlineRow], progress: Callable[[int], object] | None = None) -> int:
        """Store each row unless a newer one of its key is there; the number of rows changed or added."""

    def replace(self, group_id: int, rows: Iterable[OnlineRow], progress: Callable[[int], object] | None = None) -> int:
        """Make the group's rows exactly these; readers see the old ones until it is complete."""

    def count(self, group_id: int) -> int:
        """How many entity keys the group has."""

    def sample(self, group_id: int) -> str | None:
        """Some entity key of the group; None when it has none."""

    def check(self) -> None:
        """Ask whether the store answers.

        :raises Unavailable: when it does not.
        """


class DatabaseOnlineStore:
    """The online store in the application's own database (SQLite, PostgreSQL, MySQL, MariaDB)."""

    def read(self, keys: Mapping[int, Sequence[str]]) -> dict[tuple[int, str], OnlineRow]:
        wanted = {group_id: list(dict.fromkeys(group_keys)) for group_id, group_keys in keys.items() if group_keys}
        connection = connections[router.db_for_read(FeatureValue)]
        found: dict[tuple[int, str], OnlineRow] = {}
        for part in _parts(wanted, READ_CHUNK):
            statement, parameters = online_sql.select_rows(connection, part)
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                for group_id, key, values, event_us, created_us, arrival, run_id in cursor:
                    text = key.decode() if isinstance(key, bytes) else key
                    decoded = values if isinstance(values, dict) else orjson.loads(values)
                    found[group_id, text] = OnlineRow(text, decoded, event_us, created_us, arrival, run_id)
        return found

    def upsert(self, group_id: int, rows: Iterable[OnlineRow], progress: Callable[[int], object] | None = None) -> int:
        changed = 0
        alias = router.db_for_write(FeatureValue)
        with transaction.atomic(using=alias):
            for chunk in _chunks(rows, WRITE_CHUNK):
                changed += self._upsert_chunk(alias, group_id, chunk)
                if progress is not None:
                    progress(len(chunk))
        return changed

    def _upsert_chunk(self, alias: str, group_id: int, chunk: Sequence[OnlineRow]) -> int:
        connection = connections[alias]
        stored = self._ranks(group_id, [row.entity_key for row in chunk])
        newer = [row for row in chunk if row.entity_key not in stored or row.rank > stored[row.entity_key]]
        if newer:
            with connection.cursor() as cursor:
                cursor.executemany(
                    online_sql.upsert_statement(connection),
                    [
                        (
                            group_id,
                            online_sql.key_parameter(connection, row.entity_key),
                            orjson.dumps(row.values, option=orjson.OPT_PASSTHROUGH_DATETIME).decode(),
                            row.event_us,
                            row.created_us,
                            row.arrival,
                            row.run_id,
                        )
                        for row in newer
                    ],
                )
        return len(newer)

    def _ranks(self, group_id: int, keys: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        connection = connections[router.db_for_write(FeatureValue)]
        ranks: dict[str, tuple[int, int, int]] = {}
        for part in _parts({group_id: keys}, READ_CHUNK):
            statement, parameters = online_sql.select_ranks(connection, part)
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                for key, event_us, created_us, arrival in cursor:
                    ranks[key.decode() if isinstance(key, bytes) else key] = (event_us, created_us, arrival)
        return ranks

    def replace(self, group_id: int, rows: Iterable[OnlineRow], progress: Callable[[int], object] | None = None) -> int:
        with transaction.atomic(using=router.db_for_write(FeatureValue)):
            FeatureValue.objects.filter(group_id=group_id).delete()
            return self.upsert(group_id, rows, progress)

    def count(self, group_id: int) -> int:
        return FeatureValue.objects.filter(group_id=group_id).count()

    def sample(self, group_id: int) -> str | None:
        rows = FeatureValue.objects.filter(group_id=group_id).order_by("entity_key")
        return rows.values_list("entity_key", flat=True).first()

    def check(self) -> None:
        try:
            FeatureValue.objects.order_by("pk").values_list("pk", flat=True).first()
        except DatabaseError as error:
            raise Unavailable("the online store (database) does not answer") from error


def online_store() -> OnlineStore:
    """The configured online store.

    :raises Unavailable: when it is Redis and its driver is not installed.
    """
    place = settings.FEATURESTORE.feature_store.online_store
    if place == DATABASE:
        return DatabaseOnlineStore()
    try:
        # Only a store in Redis needs the driver, which is an extra of the installation.
        store: OnlineStore = import_string("serving.stores.redis_online.redis_online_store")(place)
    except ImportError as error:
        raise Unavailable("the online store is Redis and its driver is missing: pip install redis") from error
    return store


def _chunks(rows: Iterable[OnlineRow], size: int) -> Iterable[list[OnlineRow]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _parts(keys: Mapping[int, Sequence[str]], size: int) -> Iterable[dict[int, Sequence[str]]]:
    part: dict[int, Sequence[str]] = {}
    room = size
    for group_id, group_keys in keys.items():
        start = 0
        while start < len(group_keys):
            taken = group_keys[start : start + room]
            part[group_id] = taken
            start += len(taken)
            room -= len(taken)
            if room == 0:
                yield part
                part, room = {}, size
    if part:
        yield part

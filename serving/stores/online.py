"""The online store: the newest value row per group and entity key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from django.conf import settings
from django.db import DatabaseError, connections, router, transaction
from django.utils.module_loading import import_string

from catalog.errors import Unavailable
from serving.models import FeatureValue
from serving.stores import online_sql
from serving.stores.online_batches import OnlineBatch, OnlineRow
from serving.stores.online_revisions import Revisions, new_revision, of_all
from serving.stores.online_writing import KEYS_AT_ONCE, delete_others, write_batch
from serving.stores.row_reads import fetch_rows

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DATABASE", "DatabaseOnlineStore", "OnlineRow", "OnlineStore", "Progress", "online_store"]

Progress = Callable[[int], object]
Rows = dict[tuple[int, str], OnlineRow]

DATABASE = "database"
READ_CHUNK = KEYS_AT_ONCE


class OnlineStore(Protocol):
    """What a store must do to serve: the same for every engine.

    ``in_database`` says whether what it writes is part of the application's own transaction.
    """

    in_database: bool

    def read(self, keys: Mapping[int, Sequence[str]]) -> Rows:
        """The rows of the entity keys per group id; a key without a row is absent."""

    def read_with_revisions(self, keys: Mapping[int, Sequence[str]]) -> tuple[Rows, Revisions | None]:
        """:meth:`read`, and the revisions of the groups, of which the rows are or of later ones."""

    def revisions(self, groups: Sequence[int]) -> Revisions | None:
        """The revisions of the groups, each given once; None when one has none.

        Whatever changes or deletes a row of a group gives it another revision, seen from the same moment on.
        """

    def upsert(self, group_id: int, batches: Iterable[OnlineBatch], progress: Progress | None = None) -> int:
        """Store each row unless a newer one of its key is there; the number of rows changed or added.

        ``progress`` is called with the rows of every batch. A batch is written whole or not at all.
        """

    def replace(self, group_id: int, batches: Iterable[OnlineBatch], progress: Progress | None = None) -> int:
        """Make the group's rows exactly these, of distinct keys; readers see the old ones until it is complete."""

    def count(self, group_id: int) -> int:
        """How many entity keys the group has."""

    def sample(self, group_id: int) -> str | None:
        """Some entity key of the group; None when it has none."""

    def without_rows(self, group_ids: Collection[int]) -> set[int]:
        """Those of the groups that have no row, unless it is because all were too old."""

    def expire_before(self, group_id: int, event_us: int) -> int:
        """Delete the group's rows of events before that instant, where the store makes room; how many they were."""

    def expired_before(self, group_id: int) -> int | None:
        """Rows of events before that instant may be gone; None when all are there that were written."""

    def check(self) -> None:
        """Ask whether the store answers.

        :raises Unavailable: when it does not.
        """


class DatabaseOnlineStore:
    """The online store in the application's own database (SQLite, PostgreSQL, MySQL, MariaDB)."""

    in_database = True

    def read(self, keys: Mapping[int, Sequence[str]]) -> Rows:
        wanted = _distinct(keys)
        connection = connections[router.db_for_read(FeatureValue)]
        found: Rows = {}
        few = _count(wanted) <= READ_CHUNK
        for part in [wanted] if few and wanted else _parts(wanted, READ_CHUNK):
            _take(fetch_rows(connection, *online_sql.select_rows(connection, part)), found)
        return found

    def read_with_revisions(self, keys: Mapping[int, Sequence[str]]) -> tuple[Rows, Revisions | None]:
        wanted = _distinct(keys)
        if not 0 < _count(wanted) <= READ_CHUNK:
            # The revisions first: what is committed in between makes the rows newer than they are said to be.
            revisions = self.revisions(list(wanted)) if wanted else None
            return self.read(wanted), revisions
        connection = connections[router.db_for_read(FeatureValue)]
        found: Rows = {}
        marks = _take(fetch_rows(connection, *online_sql.select_rows_and_revisions(connection, wanted)), found)
        return found, of_all(marks, wanted)

    def revisions(self, groups: Sequence[int]) -> Revisions | None:
        connection = connections[router.db_for_read(FeatureValue)]
        return of_all(fetch_rows(connection, *online_sql.select_revisions(connection, groups)), groups)

    def upsert(self, group_id: int, batches: Iterable[OnlineBatch], progress: Progress | None = None) -> int:
        return self._write(group_id, batches, progress, guarded=True)

    def overwrite(self, group_id: int, batches: Iterable[OnlineBatch], progress: Progress | None = None) -> int:
        """Store each row whatever is there; for rows that are made anew in several transactions."""
        return self._write(group_id, batches, progress, guarded=False)

    def keep_only(self, group_id: int, keys: pa.Array | pa.ChunkedArray | Sequence[str]) -> int:
        """Delete the group's rows of other keys than these, which are distinct; how many they were."""
        alias = router.db_for_write(FeatureValue)
        with transaction.atomic(using=alias):
            # All of these have a row: where there are no more, there are no others.
            deleted = delete_others(connections[alias], group_id, keys) if self.count(group_id) > len(keys) else 0
            if deleted:
                _note_change(alias, group_id)
            return deleted

    def _write(self, group_id: int, batches: Iterable[OnlineBatch], progress: Progress | None, *, guarded: bool) -> int:
        alias = router.db_for_write(FeatureValue)
        written = 0
        for batch in batches:
            with transaction.atomic(using=alias):
                written += self._write_batch(alias, group_id, batch, guarded=guarded)
            if progress is not None:
                progress(len(batch))
        return written

    def _write_batch(self, alias: str, group_id: int, batch: OnlineBatch, *, guarded: bool) -> int:
        written = write_batch(connections[alias], group_id, batch, guarded=guarded)
        if written:
            _note_change(alias, group_id)
        return written

    def replace(self, group_id: int, batches: Iterable[OnlineBatch], progress: Progress | None = None) -> int:
        keys: list[str] = []

        def counted() -> Iterator[OnlineBatch]:
            for batch in batches:
                keys.extend(batch.entity_keys)
                yield batch

        with transaction.atomic(using=router.db_for_write(FeatureValue)):
            written = self.overwrite(group_id, counted(), progress)
            self.keep_only(group_id, keys)
        return written

    def count(self, group_id: int) -> int:
        return FeatureValue.objects.filter(group_id=group_id).count()

    def sample(self, group_id: int) -> str | None:
        rows = FeatureValue.objects.filter(group_id=group_id).order_by("entity_key")
        return rows.values_list("entity_key", flat=True).first()

    def without_rows(self, group_ids: Collection[int]) -> set[int]:
        return {group_id for group_id in group_ids if self.sample(group_id) is None}

    def expire_before(self, group_id: int, event_us: int) -> int:  # noqa: ARG002  # the disk has room: rows stay
        return 0

    def expired_before(self, group_id: int) -> int | None:  # noqa: ARG002
        return None

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


def _note_change(alias: str, group_id: int) -> None:
    """Give the group another revision, in the transaction that writes its rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute(*online_sql.set_revision(connections[alias], group_id, new_revision()))


def _take(rows: Iterable[tuple[Any, ...]], found: Rows) -> list[tuple[int, int]]:
    """Put the stored rows among those ``found``; group id and revision of what is no row but a group's revision."""
    revisions = []
    for group_id, key, values, event_us, created_us, arrival, run_id in rows:
        if key is None:
            revisions.append((group_id, event_us))
            continue
        text = key.decode() if isinstance(key, bytes) else key
        decoded = values if isinstance(values, dict) else orjson.loads(values)
        found[group_id, text] = OnlineRow(text, decoded, event_us, created_us, arrival, run_id)
    return revisions


def _distinct(keys: Mapping[int, Sequence[str]]) -> dict[int, list[str]]:
    return {group_id: list(dict.fromkeys(group_keys)) for group_id, group_keys in keys.items() if group_keys}


def _count(keys: Mapping[int, Sequence[str]]) -> int:
    return sum(map(len, keys.values()))


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

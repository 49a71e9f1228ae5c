"""Materialize: carry new history from the offline store into the online store.

It is done in three parts, so that the effects of an ingestion are one SQL transaction and that one is short.
:func:`prepare` finds the rows in the history. :func:`carry_ahead` writes those of a large load batch by batch, each
in a transaction of its own. :func:`commit` writes the rows of a small load, and how far the group is carried.

A row of the history is true for good and goes only over an older one of its key, so a load that is broken off between
two batches leaves nothing wrong: the next one reads the same rows, finds those already there, and goes on. Where rows
are made anew that history has not changed, the next one could not tell that some are still to be done, so that is noted
with the first batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from django.conf import settings
from django.db import transaction

from catalog.clock import now
from catalog.errors import Conflict
from catalog.models import FeatureGroup, FeatureVersion
from serving.engine_limits import configured_limits
from serving.expiry import lacks_expired_rows
from serving.lost_rows import has_lost_rows, revision_to_keep
from serving.models import MaterializedTable
from serving.models.fields import from_microseconds
from serving.online_rows import online_batches, online_batches_ahead
from serving.point_in_time import LatestRows, find_latest
from serving.stores.offline import History, open_history
from serving.stores.online import DatabaseOnlineStore, OnlineStore, Progress, online_store
from serving.stores.online_batches import OnlineBatch, OnlineRow

# Up to so many rows are written in the transaction that ends the work. SQLite has one writer at a time, and others
# shall not wait for a million rows.
TOGETHER_ROWS = 20_000


@dataclass(frozen=True)
class Prepared:
    """The rows to carry over, found in one version of the group's table."""

    group: FeatureGroup
    history: History
    latest: LatestRows
    value_columns: tuple[str, ...]
    replaces: bool
    next_event: datetime | None
    renews: bool = False  # Rows that the online store is taken to have already are among them.

    def batches(self) -> Iterator[OnlineBatch]:
        """The rows as the online store keeps them, read from the history as they are taken."""
        return online_batches(self.latest.batches(), value_columns=self.value_columns)

    def batches_ahead(self) -> AbstractContextManager[Iterator[OnlineBatch]]:
        """The same, of which a thread makes the next ones until the block is left."""
        return online_batches_ahead(self.latest.batches(), value_columns=self.value_columns)

    def entity_keys(self) -> pa.ChunkedArray:
        return self.latest.keys()


@dataclass(frozen=True)
class Carried:
    """What of it is online already: all rows (``ahead``, of which ``rows_written`` were changed or added) or none.

    Then they are ``waiting`` to be written.
    """

    prepared: Prepared
    ahead: bool = False
    rows_written: int = 0
    waiting: tuple[OnlineBatch, ...] = ()


@dataclass(frozen=True)
class Materialized:
    """``rows_written`` online rows were changed or added; the store now reflects ``table_version``."""

    rows_written: int
    table_version: int


def value_columns_of(group: FeatureGroup) -> tuple[str, ...]:
    """The value columns that the group serves, one per feature and major version."""
    versions = FeatureVersion.objects.ingested().filter(feature__group=group).select_related("feature")
    return tuple(sorted({version.value_column for version in versions}))


def prepare(group: FeatureGroup, *, rebuild: bool = False, at: datetime | None = None) -> Prepared | None:
    """Find what must be carried into the online store; None when the group has no history.

    Only files that were added since the last time are read, unless ``rebuild``, or an event that was in the
    future then has come, or the last version is no longer there, or the online store has lost rows of the group.
    Rows that were written without a column that is served now, such as that of a restored feature, are made anew.
    """
    at = at or now()
    history = open_history(group)
    if history is None:
        return None
    done = MaterializedTable.objects.filter(group=group).first()
    source: pads.Dataset = history.dataset
    up_to_date = done is not None and (done.next_event is None or done.next_event > at)
    columns = value_columns_of(group)
    online = None if done is None else _online_now(done)
    rebuild = (
        rebuild
        or (done is not None and done.is_partly_renewed)
        or (online is not None and _lacks_some(online, columns, source.schema))
        or (done is not None and lacks_expired_rows(group, at=at))
    )
    is_lost = done is not None and has_lost_rows(done)
    if done is not None and up_to_date and not rebuild and not is_lost:
        source = _added_since(group, history, done.table_version)
    return Prepared(
        group=group,
        history=history,
        latest=find_latest(source, as_of=at, columns=["arrival", *columns], limits=configured_limits()),
        value_columns=columns,
        replaces=rebuild,
        next_event=_next_event(history, at),
        renews=rebuild or is_lost,
    )


def _is_served() -> bool:
    return settings.FEATURESTORE.serving.online_store_enabled


def _online_now(done: MaterializedTable) -> OnlineRow | None:
    """Some online row of the group; None when there is none: another store is configured, or it was emptied."""
    if not _is_served() or done.online_rows == 0:
        return None
    store = online_store()
    key = store.sample(done.group_id)
    return None if key is None else store.read({done.group_id: [key]}).get((done.group_id, key))


def _lacks_some(row: OnlineRow, columns: Sequence[str], stored: pa.Schema) -> bool:
    """Whether a column that is served and that the history has is missing from the row."""
    return any(name not in row.values and name in stored.names for name in columns)


def _added_since(group: FeatureGroup, history: History, version: int) -> pads.Dataset:
    try:
        earlier = open_history(group, version=version)
    except Conflict:
        return history.dataset
    known = {file.path for file in earlier.files} if earlier is not None else set()
    return history.only([file.path for file in history.files if file.path not in known])


def _next_event(history: History, at: datetime) -> datetime | None:
    later = history.dataset.to_table(
        columns=["event_timestamp"], filter=pc.field("event_timestamp") > pa.scalar(at, pa.timestamp("us", tz="UTC"))
    )
    return pc.min(later["event_timestamp"]).as_py()


def carry_ahead(
    prepared: Prepared,
    *,
    hold: Callable[[], object],
    written: Callable[[int], object] | None = None,
    progress: Progress | None = None,
) -> Carried:
    """Write the rows of a load that is too large for one transaction, or for a store outside of the database.

    ``hold`` makes sure, before each batch is written, that nobody else writes the group. ``written`` is called with
    the number of rows that a batch changed or added. In the database both are one transaction with the batch.
    Readers find of every row the old state or the new one. Must not be called within a transaction.
    """
    if not _is_served():
        return Carried(prepared)
    store = online_store()
    if isinstance(store, DatabaseOnlineStore):
        if prepared.latest.count <= TOGETHER_ROWS:
            return Carried(prepared, waiting=tuple(prepared.batches()))
        write = store.overwrite if prepared.replaces else store.upsert
    elif prepared.replaces:
        total = _replace_outside(store, prepared, hold=hold, progress=progress)
        if written is not None:
            written(total)
        return Carried(prepared, ahead=True, rows_written=total)
    else:
        write = store.upsert
    total, is_noted = 0, False
    with prepared.batches_ahead() as batches:
        for batch in batches:
            # A store outside of the database is no part of a transaction, which would only keep others waiting.
            with transaction.atomic() if store.in_database else nullcontext():
                hold()
                if prepared.renews and not is_noted:
                    MaterializedTable.objects.filter(group=prepared.group).update(is_partly_renewed=True)
                    is_noted = True
                changed = write(prepared.group.pk, [batch])
                if written is not None:
                    written(changed)
            total += changed
            if progress is not None:
                progress(len(batch))
    return Carried(prepared, ahead=True, rows_written=total)


def _replace_outside(
    store: OnlineStore, prepared: Prepared, *, hold: Callable[[], object], progress: Progress | None
) -> int:
    """Make the rows of a store outside of the database anew; the change-over itself is in a transaction that holds.

    Rows of others that were newer would be lost by it, so nobody may take the group before it is done.
    """
    with ExitStack() as stack:
        batches = stack.enter_context(prepared.batches_ahead())

        def held() -> Iterator[OnlineBatch]:
            for batch in batches:
                hold()
                yield batch
            stack.enter_context(transaction.atomic())
            hold()

        return store.replace(prepared.group.pk, held(), progress)


def commit(carried: Carried, *, progress: Progress | None = None) -> Materialized:
    """Write what is not written yet, and how far the group is carried.

    Call it in the transaction that it must be one with; it opens one by itself.
    """
    prepared = carried.prepared
    if not _is_served():
        return Materialized(rows_written=0, table_version=prepared.history.version)
    store = online_store()
    with transaction.atomic():
        rows_written = carried.rows_written
        if not carried.ahead:
            write = store.replace if prepared.replaces else store.upsert
            rows_written = write(prepared.group.pk, carried.waiting, progress)
        elif (
            prepared.replaces
            and isinstance(store, DatabaseOnlineStore)
            # All of these have a row: where there are no more, there are no others, and no key need be read.
            and store.count(prepared.group.pk) > prepared.latest.count
        ):
            store.keep_only(prepared.group.pk, prepared.entity_keys())
        newest = prepared.latest.newest_event
        newest_event = None if newest is None else from_microseconds(newest)
        done = MaterializedTable.objects.filter(group=prepared.group).first()
        if done is not None and done.newest_event is not None and not prepared.replaces:
            newest_event = max(newest_event, done.newest_event) if newest_event is not None else done.newest_event
        MaterializedTable.objects.update_or_create(
            group=prepared.group,
            defaults={
                "table_version": max(prepared.history.version, done.table_version if done else 0),
                "online_rows": store.count(prepared.group.pk),
                "history_rows": prepared.history.rows,
                "history_bytes": prepared.history.bytes,
                "newest_event": newest_event,
                "next_event": prepared.next_event,
                "is_partly_renewed": False,
                "online_revision": revision_to_keep(store, prepared.group.pk),
                "updated_at": now(),
            },
        )
    return Materialized(rows_written=rows_written, table_version=prepared.history.version)


def materialize_group(
    group: FeatureGroup, *, rebuild: bool = False, progress: Progress | None = None
) -> Materialized | None:
    """Carry the group's new history into the online store; None when it has none.

    With ``rebuild`` the online rows are made anew from the whole history; readers see the old ones until then.
    The caller sees to it that nobody else writes the group meanwhile.
    """
    prepared = prepare(group, rebuild=rebuild)
    if prepared is None:
        return None
    return commit(carry_ahead(prepared, hold=lambda: None, progress=progress), progress=progress)

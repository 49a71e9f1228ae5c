"""Materialize: carry new history from the offline store into the online store.

It is done in two parts, so that all of an ingestion's effects can be one SQL transaction: what takes long (reading
the history) happens in :func:`prepare`, outside of it; :func:`commit` only writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from serving.models import MaterializedTable
from serving.online_rows import online_rows
from serving.point_in_time import latest_rows
from serving.stores.offline import History, open_history
from serving.stores.online import OnlineRow, online_store

Progress = Callable[[int], object]


@dataclass(frozen=True)
class Prepared:
    """The rows to carry over, read from one version of the group's table."""

    group: FeatureGroup
    history: History
    rows: pa.Table
    value_columns: tuple[str, ...]
    replaces: bool
    next_event: datetime | None


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
    """Read what must be carried into the online store; None when the group has no history.

    Only files that were added since the last time are read, unless ``rebuild``, or an event that was in the
    future then has come, or the last version is no longer there, or the online store has lost the group's rows.
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
    rebuild = rebuild or (online is not None and _lacks_some(online, columns, source.schema))
    is_lost = done is not None and done.online_rows > 0 and online is None and _is_served()
    if done is not None and up_to_date and not rebuild and not is_lost:
        source = _added_since(group, history, done.table_version)
    rows = latest_rows(source, as_of=at, columns=["arrival", *columns], limits=configured_limits())
    return Prepared(
        group=group,
        history=history,
        rows=rows,
        value_columns=columns,
        replaces=rebuild,
        next_event=_next_event(history, at),
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


def commit(prepared: Prepared, *, progress: Progress | None = None) -> Materialized:
    """Write what was prepared. Call it in the transaction that it must be one with; it opens one by itself.

    A store outside of the database is written first: rows come from the history, which has them for good, and go
    only over older ones, so that writing them again after the transaction failed changes nothing.
    """
    if not settings.FEATURESTORE.serving.online_store_enabled:
        return Materialized(rows_written=0, table_version=prepared.history.version)
    rows = online_rows(prepared.rows, value_columns=prepared.value_columns)
    store = online_store()
    with transaction.atomic():
        write = store.replace if prepared.replaces else store.upsert
        written = write(prepared.group.pk, rows, progress)
        newest = pc.max(prepared.rows["event_timestamp"]).as_py()
        done = MaterializedTable.objects.filter(group=prepared.group).first()
        if done is not None and done.newest_event is not None and not prepared.replaces:
            newest = max(newest, done.newest_event) if newest is not None else done.newest_event
        MaterializedTable.objects.update_or_create(
            group=prepared.group,
            defaults={
                "table_version": max(prepared.history.version, done.table_version if done else 0),
                "online_rows": store.count(prepared.group.pk),
                "history_rows": prepared.history.rows,
                "history_bytes": prepared.history.bytes,
                "newest_event": newest,
                "next_event": prepared.next_event,
                "updated_at": now(),
            },
        )
    return Materialized(rows_written=written, table_version=prepared.history.version)


def materialize_group(
    group: FeatureGroup, *, rebuild: bool = False, progress: Progress | None = None
) -> Materialized | None:
    """Carry the group's new history into the online store; None when it has none.

    With ``rebuild`` the online rows are made anew from the whole history; readers see the old ones until then.
    The caller holds the group's lease.
    """
    prepared = prepare(group, rebuild=rebuild)
    return None if prepared is None else commit(prepared, progress=progress)

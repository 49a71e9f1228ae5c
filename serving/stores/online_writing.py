"""Batches of online rows into the database, by whatever each database takes fastest.

The newest-wins guard is part of every statement, so that two processes may write the same key at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import import_string

from serving.stores import online_sql
from serving.stores.online_batches import OnlineBatch, Rank

if TYPE_CHECKING:
    import pyarrow as pa

# So many keys are asked for, or deleted, by one statement.
KEYS_AT_ONCE = 400
# For fewer rows a staging table costs more than it saves.
_COPIED_ROWS = 500
# SQLite takes a statement of so many rows; older versions of it know no more than 999 parameters.
_STATEMENT_ROWS = 100
_KEYS_LOOKED_AT = 10_000


def write_batch(connection: BaseDatabaseWrapper, group_id: int, batch: OnlineBatch, *, guarded: bool = True) -> int:
    """Store each row of the batch, when ``guarded`` unless a newer one of its key is there; how many were written.

    Call it within a transaction.
    """
    if not len(batch):
        return 0
    if connection.vendor == "postgresql" and len(batch) >= _COPIED_ROWS:
        return _copied(connection, group_id, batch, guarded=guarded)
    if connection.vendor == "mysql":
        # It says of a row that stays as it is the same as of one that was added, and compares long before it keeps it.
        batch = batch.only(_newer(connection, group_id, batch)) if guarded else batch
    if connection.vendor == "sqlite":
        return _in_statements_of_many(connection, group_id, batch, guarded=guarded)
    with connection.cursor() as cursor:
        cursor.executemany(
            online_sql.upsert_statement(connection, guarded=guarded), list(_parameters(connection, group_id, batch))
        )
        return len(batch) if connection.vendor == "mysql" else cursor.rowcount


def delete_others(
    connection: BaseDatabaseWrapper, group_id: int, keys: pa.Array | pa.ChunkedArray | Sequence[str]
) -> int:
    """Delete the group's rows whose entity key is not among ``keys``; how many they were.

    Call it within a transaction.
    """
    # Only who replaces a whole group needs Arrow, which takes time and memory to load.
    are_among = import_string("serving.stores.key_sets.are_among")
    deleted = 0
    with connection.cursor() as cursor:
        for stored in _stored_keys(connection, group_id):
            others = [key for key, kept in zip(stored, are_among(stored, keys), strict=True) if not kept]
            for start in range(0, len(others), KEYS_AT_ONCE):
                part = others[start : start + KEYS_AT_ONCE]
                cursor.execute(*online_sql.delete_rows(connection, group_id, part))
                deleted += len(part)
    return deleted


def _in_statements_of_many(connection: BaseDatabaseWrapper, group_id: int, batch: OnlineBatch, *, guarded: bool) -> int:
    """Begin a statement once for many rows: while one runs, the interpreter's lock is free for other threads."""
    parameters = chain.from_iterable(_parameters(connection, group_id, batch))
    statements, rest = divmod(len(batch), _STATEMENT_ROWS)
    written = 0
    with connection.cursor() as cursor:
        for count, rows in ((statements, _STATEMENT_ROWS), (rest, 1)):
            if count:
                statement = online_sql.upsert_statement(connection, rows=rows, guarded=guarded)
                values = rows * len(online_sql.COLUMNS)
                cursor.executemany(statement, [list(islice(parameters, values)) for _ in range(count)])
                written += cursor.rowcount
    return written


def _copied(connection: BaseDatabaseWrapper, group_id: int, batch: OnlineBatch, *, guarded: bool) -> int:
    create, copy = online_sql.postgresql_staging(connection)
    with connection.cursor() as cursor:
        cursor.execute(create)
        with cursor.copy(copy) as staged:
            for row in _parameters(connection, group_id, batch):
                staged.write_row(row)
        cursor.execute(online_sql.postgresql_upsert_staged(connection, guarded=guarded))
        written = cursor.rowcount
        cursor.execute(f"TRUNCATE {online_sql.STAGING}")
    return written


def _parameters(connection: BaseDatabaseWrapper, group_id: int, batch: OnlineBatch) -> Iterator[tuple[Any, ...]]:
    keys: Sequence[str | bytes] = batch.entity_keys
    if connection.vendor == "mysql":
        keys = [online_sql.key_parameter(connection, key) for key in batch.entity_keys]
    return zip(
        repeat(group_id, len(batch)),
        keys,
        batch.documents,
        batch.event_us,
        batch.created_us,
        batch.arrivals,
        batch.run_ids,
        strict=True,
    )


def _newer(connection: BaseDatabaseWrapper, group_id: int, batch: OnlineBatch) -> list[int]:
    """The positions of the rows that no stored row of their key is as new as."""
    stored: dict[str, Rank] = {}
    with connection.cursor() as cursor:
        for part in batch.parts(KEYS_AT_ONCE):
            cursor.execute(*online_sql.select_ranks(connection, {group_id: part.entity_keys}))
            for key, *rank in cursor:
                stored[_text(key)] = (rank[0], rank[1], rank[2])
    return [
        position
        for position, (key, rank) in enumerate(zip(batch.entity_keys, batch.ranks(), strict=True))
        if key not in stored or rank > stored[key]
    ]


def _stored_keys(connection: BaseDatabaseWrapper, group_id: int) -> Iterator[list[str]]:
    """All entity keys of the group, some at a time, in the database's order."""
    after: str | None = None
    while True:
        with connection.cursor() as cursor:
            cursor.execute(*online_sql.select_keys(connection, group_id, after=after, limit=_KEYS_LOOKED_AT))
            keys = [_text(key) for (key,) in cursor]
        if keys:
            yield keys
        if len(keys) < _KEYS_LOOKED_AT:
            return
        after = keys[-1]


def _text(key: str | bytes) -> str:
    return key.decode() if isinstance(key, bytes) else key

"""The statements of the online store, where the databases differ.

They are written out because the read is the hot path and because the newest-wins guard must be part of the
statement that writes: two processes may write the same key at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from serving.models import FeatureValue, OnlineRevision

_TABLE = FeatureValue._meta.db_table
_REVISIONS = OnlineRevision._meta.db_table
COLUMNS = ("group_id", "entity_key", "values", "event_timestamp", "created_timestamp", "arrival", "run_id")
_RANK = ("event_timestamp", "created_timestamp", "arrival")
_UPDATED = ("values", *_RANK, "run_id")
STAGING = "featurestore_incoming"
# Of fewer keys SQLite makes a table of its own in vain.
_MANY_ALIKE = 10


def key_parameter(connection: BaseDatabaseWrapper, key: str) -> str | bytes:
    """An entity key as the database's driver takes it (bytes on MySQL, see EntityKeyField)."""
    return key.encode() if connection.vendor == "mysql" else key


def select_rows(connection: BaseDatabaseWrapper, keys: Mapping[int, Sequence[str]]) -> tuple[str, list[Any]]:
    """The query of all columns for the keys per group id, and its parameters."""
    return _select(connection, COLUMNS, keys)


def select_revisions(connection: BaseDatabaseWrapper, groups: Sequence[int]) -> tuple[str, Sequence[int]]:
    """The query of group id and revision of the groups, and its parameters."""
    return _revisions_statement(connection.ops.quote_name, len(groups)), groups


def select_rows_and_revisions(
    connection: BaseDatabaseWrapper, keys: Mapping[int, Sequence[str]]
) -> tuple[str, list[Any]]:
    """:func:`select_rows` and, of the same moment, a row per group that has a revision.

    It has no entity key, and the revision in place of the event timestamp.
    """
    rows, parameters = select_rows(connection, keys)
    revisions = _revisions_statement(connection.ops.quote_name, len(keys), as_rows=True)
    return f"{rows} UNION ALL {revisions}", [*parameters, *keys]


@lru_cache(maxsize=256)
def _revisions_statement(quote: Callable[[str], str], count: int, *, as_rows: bool = False) -> str:
    group, revision = quote("group_id"), quote("revision")
    columns = f"{group}, NULL, NULL, {revision}, 0, 0, NULL" if as_rows else f"{group}, {revision}"
    places = ", ".join(["%s"] * count)
    return f"SELECT {columns} FROM {quote(_REVISIONS)} WHERE {group} IN ({places})"


def set_revision(connection: BaseDatabaseWrapper, group_id: int, revision: int) -> tuple[str, list[int]]:
    """The statement that makes it the group's revision, whether it has one or not, and its parameters."""
    quote = connection.ops.quote_name
    group, column = quote("group_id"), quote("revision")
    insert = f"INSERT INTO {quote(_REVISIONS)} ({group}, {column}) VALUES (%s, %s)"
    if connection.vendor == "mysql":
        return f"{insert} ON DUPLICATE KEY UPDATE {column} = VALUES({column})", [group_id, revision]
    return f"{insert} ON CONFLICT ({group}) DO UPDATE SET {column} = excluded.{column}", [group_id, revision]


def select_ranks(connection: BaseDatabaseWrapper, keys: Mapping[int, Sequence[str]]) -> tuple[str, list[Any]]:
    """The query of key and rank columns for the keys per group id, and its parameters."""
    return _select(connection, ("entity_key", *_RANK), keys)


def select_keys(
    connection: BaseDatabaseWrapper, group_id: int, *, after: str | None, limit: int
) -> tuple[str, list[Any]]:
    """The query of the group's next entity keys in their order, and its parameters."""
    quote = connection.ops.quote_name
    key = quote("entity_key")
    beyond = "" if after is None else f" AND {key} > %s"
    parameters = [] if after is None else [key_parameter(connection, after)]
    return (
        f"SELECT {key} FROM {quote(_TABLE)} WHERE {quote('group_id')} = %s{beyond} ORDER BY {key} LIMIT %s",
        [group_id, *parameters, limit],
    )


def delete_rows(connection: BaseDatabaseWrapper, group_id: int, keys: Sequence[str]) -> tuple[str, list[Any]]:
    """The deletion of the group's rows of these keys, and its parameters."""
    quote = connection.ops.quote_name
    places = ", ".join(["%s"] * len(keys))
    return (
        f"DELETE FROM {quote(_TABLE)} WHERE {quote('group_id')} = %s AND {quote('entity_key')} IN ({places})",
        [group_id, *(key_parameter(connection, key) for key in keys)],
    )


def _select(
    connection: BaseDatabaseWrapper, columns: tuple[str, ...], keys: Mapping[int, Sequence[str]]
) -> tuple[str, list[Any]]:
    if connection.vendor == "sqlite" and _all_alike(keys):
        groups, asked = list(keys), next(iter(keys.values()))
        return _select_alike_statement(connection.ops.quote_name, columns, len(groups), len(asked)), [*groups, *asked]
    parameters: list[Any] = []
    for group_id, group_keys in keys.items():
        parameters.append(group_id)
        if connection.vendor == "mysql":
            parameters += [key_parameter(connection, key) for key in group_keys]
        else:
            parameters += group_keys
    counts = tuple(map(len, keys.values()))
    return _select_statement(connection.ops.quote_name, columns, counts), parameters


def _all_alike(keys: Mapping[int, Sequence[str]]) -> bool:
    """Whether all groups are asked for the same keys, and for so many that SQLite should be given them once only."""
    asked = list(keys.values())
    return len(asked) > 1 and len(asked[0]) >= _MANY_ALIKE and all(each == asked[0] for each in asked)


@lru_cache(maxsize=256)
def _select_alike_statement(quote: Callable[[str], str], columns: tuple[str, ...], groups: int, keys: int) -> str:
    """The query for so many keys, the same in so many groups."""
    return (
        f"SELECT {', '.join(map(quote, columns))} FROM {quote(_TABLE)} WHERE {quote('group_id')} IN "
        f"({', '.join(['%s'] * groups)}) AND {quote('entity_key')} IN ({', '.join(['%s'] * keys)})"
    )


@lru_cache(maxsize=256)
def _select_statement(quote: Callable[[str], str], columns: tuple[str, ...], counts: tuple[int, ...]) -> str:
    """The query for so many keys of one group after the other: the same text for all requests of the same shape."""
    conditions = " OR ".join(
        f"({quote('group_id')} = %s AND {quote('entity_key')} IN ({', '.join(['%s'] * count)}))" for count in counts
    )
    return f"SELECT {', '.join(map(quote, columns))} FROM {quote(_TABLE)} WHERE {conditions}"


def upsert_statement(connection: BaseDatabaseWrapper, *, rows: int = 1, guarded: bool = True) -> str:
    """Insert so many rows, or replace the stored ones of the same keys: when ``guarded`` only by newer ones."""
    quote = connection.ops.quote_name
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    insert = f"{_insert(quote)} VALUES {', '.join([row] * rows)}"
    if connection.vendor == "mysql":
        return f"{insert} ON DUPLICATE KEY UPDATE {_mysql_updates(quote, guarded=guarded)}"
    return f"{insert} {_on_conflict(quote, guarded=guarded)}"


def postgresql_staging(connection: BaseDatabaseWrapper) -> tuple[str, str]:
    """The table that a batch is copied into, which goes with the transaction; and how it is copied."""
    quote = connection.ops.quote_name
    kinds = {"group_id": "bigint", "entity_key": "text", "values": "text", "run_id": "text"}
    fields = ", ".join(f"{quote(column)} {kinds.get(column, 'bigint')}" for column in COLUMNS)
    return (
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {STAGING} ({fields}) ON COMMIT DROP",
        f"COPY {STAGING} ({_names(quote)}) FROM STDIN",
    )


def postgresql_upsert_staged(connection: BaseDatabaseWrapper, *, guarded: bool = True) -> str:
    """:func:`upsert_statement` for all rows of the staging table at once; of several of one key the newest."""
    quote = connection.ops.quote_name
    newest = ", ".join(f"{quote(column)} DESC" for column in _RANK)
    staged = f"SELECT DISTINCT ON (entity_key) {_names(quote)} FROM {STAGING} ORDER BY entity_key, {newest}"
    return f"{_insert(quote)} {staged} {_on_conflict(quote, guarded=guarded)}"


def _names(quote: Callable[[str], str]) -> str:
    return ", ".join(quote(column) for column in COLUMNS)


def _insert(quote: Callable[[str], str]) -> str:
    return f"INSERT INTO {quote(_TABLE)} ({_names(quote)})"


def _on_conflict(quote: Callable[[str], str], *, guarded: bool) -> str:
    updates = ", ".join(f"{quote(column)} = excluded.{quote(column)}" for column in _UPDATED)
    new = ", ".join(f"excluded.{quote(column)}" for column in _RANK)
    old = ", ".join(f"{quote(_TABLE)}.{quote(column)}" for column in _RANK)
    guard = f" WHERE ({new}) > ({old})" if guarded else ""
    return f"ON CONFLICT ({quote('group_id')}, {quote('entity_key')}) DO UPDATE SET {updates}{guard}"


def _mysql_updates(quote: Callable[[str], str], *, guarded: bool) -> str:
    if not guarded:
        return ", ".join(f"{quote(column)} = VALUES({quote(column)})" for column in _UPDATED)
    # MySQL assigns from left to right and later assignments see the columns already assigned. The rank is assigned
    # last and from its least part on, so every comparison before its own column still tells the same.
    new = ", ".join(f"VALUES({quote(column)})" for column in _RANK)
    old = ", ".join(quote(column) for column in _RANK)
    order = ("values", "run_id", *reversed(_RANK))
    return ", ".join(
        f"{quote(column)} = IF(({new}) > ({old}), VALUES({quote(column)}), {quote(column)})" for column in order
    )

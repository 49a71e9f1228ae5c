"""The statements of the online store, where the databases differ.

They are written out because the read is the hot path and because the newest-wins guard must be part of the
statement that writes: two processes may write the same key at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from serving.models import FeatureValue

_TABLE = FeatureValue._meta.db_table
_COLUMNS = ("group_id", "entity_key", "values", "event_timestamp", "created_timestamp", "arrival", "run_id")
_RANK = ("event_timestamp", "created_timestamp", "arrival")
_UPDATED = ("values", *_RANK, "run_id")


def key_parameter(connection: BaseDatabaseWrapper, key: str) -> str | bytes:
    """An entity key as the database's driver takes it (bytes on MySQL, see EntityKeyField)."""
    return key.encode() if connection.vendor == "mysql" else key


def select_rows(connection: BaseDatabaseWrapper, keys: Mapping[int, Sequence[str]]) -> tuple[str, list[Any]]:
    """The query of all columns for the keys per group id, and its parameters."""
    columns = ", ".join(connection.ops.quote_name(column) for column in _COLUMNS)
    return _select(connection, columns, keys)


def select_ranks(connection: BaseDatabaseWrapper, keys: Mapping[int, Sequence[str]]) -> tuple[str, list[Any]]:
    """The query of key and rank columns for the keys per group id, and its parameters."""
    columns = ", ".join(connection.ops.quote_name(column) for column in ("entity_key", *_RANK))
    return _select(connection, columns, keys)


def _select(connection: BaseDatabaseWrapper, columns: str, keys: Mapping[int, Sequence[str]]) -> tuple[str, list[Any]]:
    quote = connection.ops.quote_name
    conditions, parameters = [], []
    for group_id, group_keys in keys.items():
        places = ", ".join(["%s"] * len(group_keys))
        conditions.append(f"({quote('group_id')} = %s AND {quote('entity_key')} IN ({places}))")
        parameters += [group_id, *(key_parameter(connection, key) for key in group_keys)]
    return f"SELECT {columns} FROM {quote(_TABLE)} WHERE {' OR '.join(conditions)}", parameters


def upsert_statement(connection: BaseDatabaseWrapper) -> str:
    """Insert a row, or replace the stored one of the same key when this one is newer."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(column) for column in _COLUMNS)
    places = ", ".join("%s::jsonb" if c == "values" and connection.vendor == "postgresql" else "%s" for c in _COLUMNS)
    insert = f"INSERT INTO {quote(_TABLE)} ({columns}) VALUES ({places})"
    if connection.vendor == "mysql":
        return f"{insert} ON DUPLICATE KEY UPDATE {_mysql_updates(quote)}"
    updates = ", ".join(f"{quote(column)} = excluded.{quote(column)}" for column in _UPDATED)
    new = ", ".join(f"excluded.{quote(column)}" for column in _RANK)
    old = ", ".join(f"{quote(_TABLE)}.{quote(column)}" for column in _RANK)
    key = f"{quote('group_id')}, {quote('entity_key')}"
    return f"{insert} ON CONFLICT ({key}) DO UPDATE SET {updates} WHERE ({new}) > ({old})"


def _mysql_updates(quote: Any) -> str:
    # MySQL assigns from left to right and later assignments see the columns already assigned. The rank is assigned
    # last and from its least part on, so every comparison before its own column still tells the same.
    new = ", ".join(f"VALUES({quote(column)})" for column in _RANK)
    old = ", ".join(quote(column) for column in _RANK)
    order = ("values", "run_id", *reversed(_RANK))
    return ", ".join(
        f"{quote(column)} = IF(({new}) > ({old}), VALUES({quote(column)}), {quote(column)})" for column in order
    )

"""Rows of one statement, by the shortest way that the database's driver has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def fetch_rows(connection: BaseDatabaseWrapper, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of the statement, whose places are written ``%s`` as Django has them and which holds no other ``%``.

    :raises DatabaseError: as Django's cursors do.
    """
    if connection.vendor != "sqlite" or connection.queries_logged or connection.execute_wrappers:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())  # a tuple on MySQL
    # SQLite answers a read of one row sooner than Django has made its cursor around the driver's.
    if connection.connection is None:
        connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        rows: list[tuple[Any, ...]] = connection.connection.execute(_as_sqlite(statement), parameters).fetchall()
    return rows


@lru_cache(maxsize=256)
def _as_sqlite(statement: str) -> str:
    return statement.replace("%s", "?")

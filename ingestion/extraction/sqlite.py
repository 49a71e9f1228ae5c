"""Reading tables and views of an SQLite database, never writing to it (pure: no Django)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ingestion.expressions import quoted
from ingestion.extraction.errors import SourceBusy, SourceInvalid, SourceNotFound, hint
from ingestion.extraction.request import RawRows, SourceTable

BUSY_SECONDS = 5.0
_BUSY_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    # A writer died and left its journal: the next writer that opens the database rolls it back.
    sqlite3.SQLITE_READONLY,
}


class SqliteReader:
    """One read transaction on one database: all that it reads is of the same instant."""

    def __init__(self, location: str) -> None:
        self.location = location

    def tables(self) -> list[str]:
        """The tables and views of the database."""
        with self._snapshot() as connection:
            return _tables(connection)

    def describe(self, table: str) -> SourceTable:
        """The columns and the number of rows of ``table``."""
        with self._snapshot() as connection:
            return self._described(connection, table)

    @contextmanager
    def opened(self, table: str) -> Iterator[SqliteTable]:
        """``table`` within one read transaction."""
        with self._snapshot() as connection:
            yield SqliteTable(connection, self._described(connection, table), self.location)

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        path = Path(self.location)
        if not path.is_file():
            raise SourceNotFound(
                f"there is no database {self.location}{_folder_hint(path)}", details={"location": self.location}
            )
        with reading(self.location):
            connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=BUSY_SECONDS
            )
        with closing(connection):
            connection.text_factory = _text
            with reading(self.location):
                connection.execute("BEGIN")
                # The transaction sees the state at its first read, so that read is made at once.
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield connection

    def _described(self, connection: sqlite3.Connection, table: str) -> SourceTable:
        with reading(self.location):
            known = _tables(connection)
            if table not in known:
                raise SourceNotFound(
                    f"{self.location} has no table {table}{hint(table, known, what='tables')}",
                    details={"table": table, "tables": known},
                )
            # hidden = 1 is a hidden column of a virtual table; generated columns are 2 and 3.
            columns = {
                row[1]: row[2] or ""
                for row in connection.execute(f"PRAGMA table_xinfo({quoted(table)})")
                if row[6] != 1
            }
            count = connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0]
        return SourceTable(name=table, columns=columns, row_count=count)


class SqliteTable:
    """A table within a read transaction."""

    def __init__(self, connection: sqlite3.Connection, description: SourceTable, location: str) -> None:
        self._connection = connection
        self._location = location
        self.description = description

    def batches(
        self, columns: Sequence[str], rows: int, *, not_before: tuple[str, datetime] | None = None
    ) -> Iterator[RawRows]:
        """Batches of up to ``rows`` rows in the order in which they were inserted.

        ``not_before`` (column, instant) may leave out rows that are clearly older; rows that it cannot judge stay.
        """
        where, parameters = _older_left_out(not_before)
        names = ", ".join(quoted(name) for name in columns)
        query = f"SELECT {names} FROM {quoted(self.description.name)}{where}{self._order()}"
        with reading(self._location):
            cursor = self._connection.execute(query, parameters)
        while True:
            with reading(self._location):
                fetched = cursor.fetchmany(rows)
            if not fetched:
                return
            # Objects stay objects: pandas' own inference would carry integers beside nulls through a float.
            frame = pd.DataFrame(fetched, columns=list(columns), dtype=object)
            yield {name: np.asarray(frame[name], dtype=object) for name in columns}

    def _order(self) -> str:
        taken = {name.lower() for name in self.description.columns}
        for name in ("rowid", "_rowid_", "oid"):
            if name not in taken:
                try:
                    self._connection.execute(f"SELECT {name} FROM {quoted(self.description.name)} LIMIT 0")
                except sqlite3.OperationalError:
                    return ""  # a view, or a table WITHOUT ROWID, which has its own order
                return f" ORDER BY {name}"
        return ""


@contextmanager
def reading(location: str) -> Iterator[None]:
    """Turns what SQLite says while reading ``location`` into errors of sources."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        details = {"location": location, "sqlite": str(error)}
        if code in _BUSY_CODES:
            raise SourceBusy(
                f"the database {location} is in use ({error}); try again later", details=details
            ) from error
        raise SourceInvalid(f"the database {location} cannot be read: {error}", details=details) from error


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return sorted(row[0] for row in found)


def _older_left_out(not_before: tuple[str, datetime] | None) -> tuple[str, tuple[Any, ...]]:
    if not_before is None:
        return "", ()
    column, instant = not_before
    # Days compare as text whatever the form of the rest; two days more than cover every zone.
    day = (instant - timedelta(days=2)).date().isoformat()
    name = quoted(column)
    return f" WHERE typeof({name}) <> 'text' OR substr({name}, 1, 10) >= ?", (day,)


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw  # a value of another type, which the conversion reports row by row


def _folder_hint(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist either"
    names = sorted(item.name for item in path.parent.iterdir() if item.is_file())
    return hint(path.name, names, what="files in its folder")

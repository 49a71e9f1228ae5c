"""Backups: a copy of the SQLite database while it is in use, and what belongs to it.

The offline tables are append-only and keep their versions, so a copy of their folder made any time after the backup
holds all that the manifest names.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from catalog.clock import now
from catalog.errors import Conflict
from featurestore_site.configuration import Configuration
from serving.models import MaterializedTable

DATABASE_FILE, MANIFEST_FILE = "feature_store.db", "manifest.json"
KEPT = 7
_FORM = "%Y%m%dT%H%M%S.%fZ"
_PAGES = 1_000


@dataclass(frozen=True)
class Backup:
    """A finished backup; ``removed`` older ones went for it."""

    folder: Path
    database_bytes: int
    tables: dict[str, int]
    removed: int


def back_up(configuration: Configuration, *, keep: int = KEPT) -> Backup:
    """Copy the database below ``feature_store.backup_path`` and keep the newest ``keep`` backups.

    A backup is there with all its files or not at all.

    :raises Conflict: when the database is a server, which has tools of its own.
    """
    database = configuration.database
    if database.kind != "sqlite":
        raise Conflict(f"the database is {database.kind}, and its own tools back it up; this command copies SQLite")
    root = configuration.feature_store.backup_path
    at = now()
    partial, folder = root / f".{at.strftime(_FORM)}-{os.getpid()}", root / at.strftime(_FORM)
    partial.mkdir(parents=True)
    try:
        tables = dict(MaterializedTable.objects.values_list("group__name", "table_version"))
        _copy(Path(database.name), partial / DATABASE_FILE)
        manifest = {"made_at": at, "database": DATABASE_FILE, "offline_path": configuration.offline_path}
        text = orjson.dumps({**manifest, "table_versions": tables}, option=orjson.OPT_INDENT_2)
        (partial / MANIFEST_FILE).write_bytes(text)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Backup(
        folder=folder,
        database_bytes=(folder / DATABASE_FILE).stat().st_size,
        tables=tables,
        removed=_remove_old(root, keep),
    )


def _copy(source: Path, target: Path) -> None:
    read_only = f"{source.as_uri()}?mode=ro"
    with closing(sqlite3.connect(read_only, uri=True)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy, pages=_PAGES)
        (state,) = copy.execute("PRAGMA quick_check").fetchone()
    if state != "ok":
        raise sqlite3.DatabaseError(f"the copy of {source} is damaged: {state}")
    target.chmod(0o600)


def _remove_old(root: Path, keep: int) -> int:
    finished = sorted(folder for folder in root.iterdir() if (folder / MANIFEST_FILE).is_file())
    old = [folder for folder in finished if not folder.name.startswith(".")][:-keep]
    for folder in old:
        shutil.rmtree(folder)
    return len(old)

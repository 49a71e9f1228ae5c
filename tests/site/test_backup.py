"""Backups of the SQLite database."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from catalog.clock import now
from catalog.errors import Conflict
from featurestore_site.backup import DATABASE_FILE, MANIFEST_FILE, back_up
from featurestore_site.configuration import Configuration
from featurestore_site.configuration.database_address import DatabaseAddress
from featurestore_site.tasks import back_up_daily
from serving.models import MaterializedTable
from tests.stocked_store import make_group

pytestmark = pytest.mark.django_db

Configured = Callable[..., Configuration]


@pytest.fixture
def configured(configuration: Configuration, tmp_path: Path) -> Configured:
    """The configuration over a SQLite file with one row."""
    file = tmp_path / "live ü.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (42)")

    def make(**changes: object) -> Configuration:
        store = configuration.feature_store.model_copy(update={"backup_path": tmp_path / "backups", **changes})
        address = DatabaseAddress(kind="sqlite", name=str(file))
        changed = dataclasses.replace(configuration, feature_store=store, database=address)
        settings.FEATURESTORE = changed
        return changed

    return make


def test_it_has_the_rows_and_the_versions_of_the_offline_tables(configured: Configured) -> None:
    configuration = configured()
    MaterializedTable.objects.create(group=make_group("finance"), table_version=7, updated_at=now())
    with closing(sqlite3.connect(configuration.database.name)) as busy:
        busy.execute("INSERT INTO t VALUES (43)")  # not committed, so not in it
        made = back_up(configuration)
    with closing(sqlite3.connect(made.folder / DATABASE_FILE)) as copy:
        assert copy.execute("SELECT x FROM t").fetchall() == [(42,)]
    manifest = json.loads((made.folder / MANIFEST_FILE).read_text())
    assert manifest["table_versions"] == made.tables == {"finance": 7}
    assert manifest["offline_path"] == configuration.offline_path
    assert (made.folder / DATABASE_FILE).stat().st_mode & 0o077 == 0


def test_the_newest_are_kept_and_what_is_no_backup_stays(configured: Configured, tmp_path: Path) -> None:
    configuration = configured()
    (tmp_path / "backups" / "mine").mkdir(parents=True)
    folders = [back_up(configuration, keep=2).folder for _ in range(4)]
    assert [folder.exists() for folder in folders] == [False, False, True, True]
    assert (tmp_path / "backups" / "mine").exists()


def test_a_failure_leaves_nothing(configured: Configured, tmp_path: Path) -> None:
    configuration = configured()
    Path(configuration.database.name).write_bytes(b"not a database, but long enough to be looked at" * 50)
    with pytest.raises(sqlite3.DatabaseError):
        back_up(configuration)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_database_server_has_its_own_tools(configured: Configured) -> None:
    configuration = dataclasses.replace(configured(), database=DatabaseAddress(kind="postgresql", name="store"))
    with pytest.raises(Conflict, match="its own tools"):
        back_up(configuration)
    settings.FEATURESTORE = configuration
    with pytest.raises(CommandError, match="its own tools"):
        call_command("backup")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_daily_task_asks_the_configuration(configured: Configured, tmp_path: Path, enabled: bool) -> None:
    configured(backup_enabled=enabled)
    back_up_daily()
    assert (tmp_path / "backups").exists() is enabled

"""The database of the configuration as Django wants it."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import connection

from featurestore_site.configuration import Configuration
from featurestore_site.configuration.database_address import parse_database_url
from featurestore_site.databases import databases


@pytest.mark.django_db
def test_sqlite_keeps_foreign_keys() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("asks SQLite")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys")
        assert cursor.fetchone() == (1,)


def test_sqlite_writers_wait_for_their_turn(configuration: Configuration) -> None:
    options = databases(configuration)["default"]["OPTIONS"]
    assert (options["transaction_mode"], options["timeout"]) == ("IMMEDIATE", 20)
    assert "journal_mode = WAL" in options["init_command"]


def test_a_pool_replaces_kept_connections(configuration: Configuration) -> None:
    address = parse_database_url("postgres://me:pw@db:5433/store?sslmode=require")
    plain = dataclasses.replace(configuration, database=address)
    pooling = plain.performance.model_copy(update={"connection_pooling": True})
    pooled = dataclasses.replace(plain, performance=pooling)

    assert databases(plain)["default"]["OPTIONS"] == {"sslmode": "require"}
    assert databases(plain)["default"]["CONN_MAX_AGE"] == 60
    assert databases(pooled)["default"]["OPTIONS"]["pool"] == {"min_size": 1, "max_size": 10}
    assert databases(pooled)["default"]["CONN_MAX_AGE"] == 0
    assert databases(pooled)["default"]["PORT"] == "5433"


def test_mysql_is_strict(configuration: Configuration) -> None:
    address = parse_database_url("mysql://me:pw@db/store")
    entry = databases(dataclasses.replace(configuration, database=address))["default"]
    assert entry["ENGINE"] == "django.db.backends.mysql"
    assert entry["OPTIONS"]["isolation_level"] == "read committed"
    assert "STRICT_TRANS_TABLES" in entry["OPTIONS"]["init_command"]

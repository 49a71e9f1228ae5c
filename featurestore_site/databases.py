"""The database of the configuration as Django wants it."""

from __future__ import annotations

from typing import Any

from featurestore_site.configuration import Configuration

# One writer at a time: WAL lets readers go on beside it; a write transaction takes its lock at its start
# and so waits for its turn instead of failing half-way.
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -8000",
    # Mapped whole, a large file would be read a quarter faster; but what each thread maps counts as memory of the
    # process, whoever else has it mapped.
    "PRAGMA mmap_size = 134217728",
    # A large load begins a checkpoint, which waits for the disk, every 16 MB instead of every 4. So many pages are
    # still found in the first table of the index of the write-ahead log.
    "PRAGMA wal_autocheckpoint = 4000",
)


def databases(configuration: Configuration) -> dict[str, dict[str, Any]]:
    """The value of ``DATABASES``."""
    address = configuration.database
    if address.kind == "sqlite":
        return {"default": _sqlite(address.name)}
    engine, options = _POSTGRESQL if address.kind == "postgresql" else _MYSQL
    options = {**options, **dict(address.options)}
    pooled = address.kind == "postgresql" and configuration.performance.connection_pooling
    if pooled:
        options["pool"] = {"min_size": 1, "max_size": configuration.feature_store.connection_pool_size}
    return {
        "default": {
            "ENGINE": engine,
            "NAME": address.name,
            "USER": address.user,
            "PASSWORD": address.password,
            "HOST": address.host,
            "PORT": "" if address.port is None else str(address.port),
            # A pool and connections that are kept for longer than a request exclude each other.
            "CONN_MAX_AGE": 0 if pooled else 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        }
    }


def _sqlite(name: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        # Opening a file is cheap, but the pragmas and the page cache are worth keeping between requests.
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "; ".join(_SQLITE_PRAGMAS),
        },
    }


_POSTGRESQL: tuple[str, dict[str, Any]] = ("django.db.backends.postgresql", {})
_MYSQL: tuple[str, dict[str, Any]] = (
    "django.db.backends.mysql",
    {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        "init_command": "SET sql_mode = 'STRICT_TRANS_TABLES'",
    },
)

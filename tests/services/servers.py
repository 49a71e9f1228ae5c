"""The servers that the services suite uses, where they are, and databases of its own on them.

The addresses are those of servers installed with their usual settings; FEATURESTORE_TEST_POSTGRES,
FEATURESTORE_TEST_MYSQL, FEATURESTORE_TEST_REDIS and FEATURESTORE_TEST_RABBITMQ name others.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from tests.conftest import require


@dataclass(frozen=True)
class Server:
    """``module`` is the driver; ``variable`` the environment variable that names another server than ``usual``."""

    name: str
    module: str
    variable: str
    usual: str

    @property
    def url(self) -> str:
        return os.environ.get(self.variable) or self.usual

    def needed(self) -> None:
        """Skip the test when there is no such server or no driver; fail it where they must be there."""
        require(find_spec(self.module) is not None, f"the Python package {self.module}")
        parts = urlsplit(self.url)
        assert parts.port is not None, f"{self.variable} must name a port"
        with closing(socket.socket()) as probe:
            probe.settimeout(3)
            answers = probe.connect_ex((parts.hostname or "127.0.0.1", parts.port)) == 0
        require(answers, f"{self.name} at {parts.hostname}:{parts.port} ({self.variable} names another)")


POSTGRESQL = Server(
    "PostgreSQL", "psycopg", "FEATURESTORE_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres"
)
MARIADB = Server("MariaDB", "MySQLdb", "FEATURESTORE_TEST_MYSQL", "mysql://root@127.0.0.1:3306/")
# Each process of a suite that runs in several (pytest -n) has databases of its own, of the sixteen that Redis has.
_REDIS_FIRST = 15 - 5 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REDIS = Server("Redis", "redis", "FEATURESTORE_TEST_REDIS", f"redis://127.0.0.1:6379/{_REDIS_FIRST}")
RABBITMQ = Server("RabbitMQ", "amqp", "FEATURESTORE_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")

DATABASES = ("sqlite", "postgresql", "mariadb")


def new_name() -> str:
    """A name that no other run of the suite uses."""
    return f"featurestore_test_{uuid4().hex[:12]}"


def other_redis_database(number: int) -> str:
    """The address of another database of the Redis server, for what empties it: the first to the fourth."""
    return f"{REDIS.url.rsplit('/', 1)[0]}/{_REDIS_FIRST - number}"


def url_of(server: Server, name: str) -> str:
    """The address of the database ``name`` on the server."""
    return urlsplit(server.url)._replace(path=f"/{name}").geturl()


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of that kind, which is dropped at the end."""
    name = new_name()
    if kind == "sqlite":
        yield f"sqlite:///{folder / name}.db"
        return
    server, connect = (POSTGRESQL, _postgresql) if kind == "postgresql" else (MARIADB, _mariadb)
    server.needed()
    charset = " CHARACTER SET utf8mb4" if kind == "mariadb" else ""
    _execute(connect(server.url), f"CREATE DATABASE {name}{charset}")
    try:
        yield url_of(server, name)
    finally:
        force = " WITH (FORCE)" if kind == "postgresql" else ""
        _execute(connect(server.url), f"DROP DATABASE {name}{force}")


def _postgresql(url: str) -> Any:
    return import_module("psycopg").connect(url, autocommit=True)


def _mariadb(url: str) -> Any:
    parts = urlsplit(url)
    return import_module("MySQLdb").connect(
        host=parts.hostname, port=parts.port, user=unquote(parts.username or ""), passwd=unquote(parts.password or "")
    )


def _execute(connection: Any, statement: str) -> None:
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute(statement)

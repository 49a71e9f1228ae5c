"""Where the database is, from a URL such as ``DATABASE_URL`` (pure: no Django)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Kind = Literal["sqlite", "postgresql", "mysql"]

_KINDS: dict[str, Kind] = {
    "sqlite": "sqlite",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
}


@dataclass(frozen=True)
class DatabaseAddress:
    """A database; ``name`` is the absolute file for SQLite."""

    kind: Kind
    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: int | None = None
    options: tuple[tuple[str, str], ...] = ()


def parse_database_url(url: str) -> DatabaseAddress:
    """``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``postgres://user:password@host:5432/name``
    or ``mysql://…`` with driver options as the query (``?sslmode=require``).

    :raises ValueError: when it is none of these. The message never holds the URL, which has a password.
    """
    forms = "write sqlite:///path, postgres://user:password@host:port/name or mysql://…"
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is not a database address ({error}); {forms}") from error
    kind = _KINDS.get(parts.scheme)
    if kind is None:
        raise ValueError(f"is not the address of a database that is known here; {forms}")
    name = unquote(parts.path.removeprefix("/"))
    if kind == "sqlite":
        if parts.netloc or not name or name == ":memory:":
            raise ValueError("names no file; write sqlite:///relative.db or sqlite:////absolute.db")
        return DatabaseAddress(kind=kind, name=str(Path(name).expanduser().absolute().resolve()))
    if not name or "/" in name:
        raise ValueError(f"names no database; {forms}")
    return DatabaseAddress(
        kind=kind,
        name=name,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=unquote(parts.hostname or ""),
        port=port,
        options=tuple(parse_qsl(parts.query)),
    )

"""Declared column types of a source → types of the expression engine (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping

_SQLITE = (
    ("INT", "BIGINT"),
    ("CHAR", "VARCHAR"),
    ("CLOB", "VARCHAR"),
    ("TEXT", "VARCHAR"),
    ("REAL", "DOUBLE"),
    ("FLOA", "DOUBLE"),
    ("DOUB", "DOUBLE"),
    ("NUM", "DOUBLE"),
    ("DEC", "DOUBLE"),
    ("BOOL", "BOOLEAN"),
    ("DATE", "TIMESTAMP"),
    ("TIME", "TIMESTAMP"),
)
_ARROW = (
    ("int", "BIGINT"),
    ("uint", "BIGINT"),
    ("float", "DOUBLE"),
    ("double", "DOUBLE"),
    ("halffloat", "DOUBLE"),
    ("decimal", "DOUBLE"),
    ("bool", "BOOLEAN"),
    ("timestamp", "TIMESTAMP"),
    ("date", "TIMESTAMP"),
)


def engine_types(kind: str, declared: Mapping[str, str]) -> dict[str, str]:
    """The engine's type of every column, so that an expression means the same in every batch.

    CSV columns are text: an expression over them casts what it needs as a number.
    """
    match kind:
        case "sqlite":
            return {name: _sqlite_type(text) for name, text in declared.items()}
        case "parquet":
            return {name: _arrow_type(text) for name, text in declared.items()}
    return dict.fromkeys(declared, "VARCHAR")


def _sqlite_type(text: str) -> str:
    upper = text.upper()
    return next((kind for part, kind in _SQLITE if part in upper), "VARCHAR")


def _arrow_type(text: str) -> str:
    return next((kind for start, kind in _ARROW if text.startswith(start)), "VARCHAR")

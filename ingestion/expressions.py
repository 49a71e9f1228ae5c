"""Row-level SQL expressions evaluated by an embedded engine (pure: no Django).

What an expression may hold is decided by :mod:`catalog.expressions`; besides, the engine is started without
access to files or network.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from functools import lru_cache

import duckdb
import pyarrow as pa

from catalog.errors import InvalidInput
from catalog.expressions import columns_of, parse_expression


@lru_cache(maxsize=1024)
def columns_named(expression: str) -> tuple[str, ...]:
    """The columns that ``expression`` reads, in order of appearance, each once.

    :raises InvalidInput: when it is not one SQL expression over the columns of a row.
    """
    try:
        return columns_of(expression)
    except ValueError as error:
        raise InvalidInput(str(error), details={"expression": expression}) from error


def unknown_columns(expression: str, available: Collection[str]) -> dict[str, list[str]]:
    """The columns that ``expression`` reads and ``available`` lacks, each with the nearest names.

    :raises InvalidInput: as :func:`columns_named`.
    """
    known = {name.lower() for name in available}
    return {
        name: difflib.get_close_matches(name, list(available), n=3, cutoff=0.5)
        for name in columns_named(expression)
        if name.lower() not in known
    }


def binding_problem(expression: str, types: Mapping[str, str]) -> str | None:
    """Why ``expression`` cannot be evaluated over columns of these engine types; None when it can."""
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in types.items()) or "NULL AS nothing"
    try:
        with _engine() as engine:
            engine.sql(f"SELECT {_sql(expression)} AS answer FROM (SELECT {columns}) LIMIT 0").to_arrow_table()
    except duckdb.Error as error:
        return _first_line(error)
    return None


def evaluate(expressions: Mapping[str, str], rows: pa.Table, types: Mapping[str, str] | None = None) -> pa.Table:
    """The value of every expression for every row: one column per label, in the order of the rows.

    ``types`` makes columns what their source declares them to be, so that the answer does not depend on which
    rows stand in one batch; a value that cannot be cast is null. A row for which the engine cannot compute
    an expression (a cast that fails, an overflow) has null.

    :raises InvalidInput: when an expression is not one, or names what is not there.
    """
    for expression in expressions.values():
        columns_named(expression)
    if not expressions:
        return pa.table({})
    typed = types or {}
    columns = ", ".join(
        f"TRY_CAST({quoted(name)} AS {typed[name]}) AS {quoted(name)}" if name in typed else quoted(name)
        for name in rows.column_names
    )
    answers = ", ".join(f"TRY({_sql(text)}) AS {quoted(label)}" for label, text in expressions.items())
    try:
        with _engine() as engine:
            engine.register("given", rows)
            answer: pa.Table = engine.sql(f"SELECT {answers} FROM (SELECT {columns} FROM given)").to_arrow_table()
    except duckdb.Error as error:
        raise InvalidInput(
            f"{'; '.join(expressions.values())} cannot be evaluated: {_first_line(error)}",
            details={"expressions": dict(expressions)},
        ) from error
    return answer


def quoted(name: str) -> str:
    """``name`` as an SQL identifier, whatever characters it has."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _sql(expression: str) -> str:
    # Written anew from the parsed tree: what was checked is what runs.
    return f"({parse_expression(expression).sql(dialect='duckdb', comments=False)})"


def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": "1"})
    engine.execute("SET TimeZone = 'UTC'")
    return engine


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].strip()

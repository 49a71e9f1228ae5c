"""The columns of a source table that a request needs, and what is wrong where they are not there (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.errors import InvalidInput
from ingestion.expressions import binding_problem, unknown_columns
from ingestion.extraction.errors import SourceInvalid, hint
from ingestion.extraction.request import TIMESTAMP_COLUMNS, ExtractionRequest, SourceTable, WantedColumn


def column_problem(wanted: WantedColumn, table: SourceTable, types: Mapping[str, str]) -> str | None:
    """Why ``table`` gives no values for ``wanted``; None when it does."""
    if not wanted.expression:
        column = column_of(wanted)
        return None if column in table.columns else _lacks(table, column)
    try:
        unknown = unknown_columns(wanted.expression, list(table.columns))
        if unknown:
            return f"{_lacks(table, next(iter(unknown)))}, which the expression {wanted.expression!r} reads"
        problem = binding_problem(wanted.expression, types)
    except InvalidInput as error:
        return error.message
    return problem and f"the expression {wanted.expression!r} cannot be evaluated: {problem}"


def _lacks(table: SourceTable, column: str) -> str:
    return f"source table {table.name} has no column {column}{hint(column, list(table.columns), what='columns')}"


def require_columns(table: SourceTable, columns: Sequence[str]) -> None:
    """:raises SourceInvalid: naming the first of ``columns`` that ``table`` lacks, and the nearest that it has."""
    for column in columns:
        if column not in table.columns:
            raise SourceInvalid(
                _lacks(table, column), details={"table": table.name, "column": column, "columns": list(table.columns)}
            )


def timestamp_column_of(request: ExtractionRequest, table: SourceTable) -> str:
    """The column with the event timestamps: the one asked for, or the first of the usual names.

    :raises SourceInvalid: when the table has no such column.
    """
    if request.timestamp_column:
        require_columns(table, [request.timestamp_column])
        return request.timestamp_column
    for name in TIMESTAMP_COLUMNS:
        if name in table.columns:
            return name
    raise SourceInvalid(
        f"source table {table.name} has none of the columns {', '.join(TIMESTAMP_COLUMNS)}; name the column that "
        f"holds the event timestamp as timestamp_column of the group; its columns: {', '.join(table.columns)}",
        details={"table": table.name, "columns": list(table.columns)},
    )


def column_of(wanted: WantedColumn) -> str:
    """The source column that ``wanted`` is read from."""
    return wanted.source_column or wanted.name

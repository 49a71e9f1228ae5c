"""Reading a table of a source as typed batches (pure: no Django)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrow_types import arrow_type
from catalog.value_types import ValueType
from ingestion.expressions import columns_named, evaluate
from ingestion.extraction.conversion import Converted, as_array, convert
from ingestion.extraction.engine_types import engine_types
from ingestion.extraction.errors import SourceInvalid
from ingestion.extraction.files import CsvReader, ParquetReader
from ingestion.extraction.keys import read_keys
from ingestion.extraction.request import (
    Batch,
    Extraction,
    ExtractionRequest,
    Fault,
    RawColumn,
    RawRows,
    SourcePlace,
    SourceTable,
    WantedColumn,
    json_value,
    names_of,
)
from ingestion.extraction.source_columns import column_of, column_problem, require_columns, timestamp_column_of
from ingestion.extraction.sqlite import SqliteReader


class OpenTable(Protocol):
    """A table that is being read."""

    @property
    def description(self) -> SourceTable: ...

    def batches(
        self, columns: Sequence[str], rows: int, *, not_before: tuple[str, datetime] | None = None
    ) -> Iterator[RawRows]: ...


class TableReader(Protocol):
    """One kind of source."""

    def tables(self) -> list[str]: ...

    def describe(self, table: str) -> SourceTable: ...

    def opened(self, table: str) -> AbstractContextManager[OpenTable]: ...


READERS: dict[str, Callable[[str], TableReader]] = {"sqlite": SqliteReader, "csv": CsvReader, "parquet": ParquetReader}


def describe(source: SourcePlace, table: str) -> SourceTable:
    """The columns of ``table`` with their declared types, and how many rows it has.

    :raises SourceNotFound: when the file or table is not there, naming what is.
    :raises SourceInvalid: when it cannot be read.
    :raises SourceBusy: when somebody else holds it.
    """
    return _reader(source).describe(table)


def tables(source: SourcePlace) -> list[str]:
    """The names of the tables of ``source``; errors as :func:`describe`."""
    return _reader(source).tables()


def extract(request: ExtractionRequest) -> Extraction:
    """The rows of a table as typed batches, all of one instant of the source.

    A wanted column that the table lacks, or whose expression cannot be evaluated, is in ``missing`` and null
    throughout; the others are read.

    :raises SourceNotFound: when the file or table is not there, naming what is.
    :raises SourceInvalid: when a key column or every timestamp column is missing, or the file cannot be read.
    :raises SourceBusy: when somebody else holds the source; trying again later helps.
    """
    with ExitStack() as stack:
        opened = stack.enter_context(_reader(request.place).opened(request.table))
        table = opened.description
        timestamp_column = timestamp_column_of(request, table)
        require_columns(table, [*names_of(request.key_columns), *filter(None, [request.created_column])])
        types = engine_types(request.kind, table.columns)
        problems = {wanted.value_column: column_problem(wanted, table, types) for wanted in request.columns}
        missing = {value_column: problem for value_column, problem in problems.items() if problem}
        plan = _Plan(request, timestamp_column, types, frozenset(missing))
        held = stack.pop_all()
        return Extraction(
            table=table,
            timestamp_column=timestamp_column,
            created_column=request.created_column,
            missing=missing,
            batches=_batches(opened, plan, held),
            release=held.close,
        )


class _Plan:
    """What is done with every batch."""

    def __init__(
        self, request: ExtractionRequest, timestamp_column: str, types: Mapping[str, str], missing: frozenset[str]
    ) -> None:
        self.request = request
        self.timestamp_column = timestamp_column
        self.types = types
        self.present = [wanted for wanted in request.columns if wanted.value_column not in missing]
        by_lower = {name.lower(): name for name in types}
        self.inputs = {
            wanted.value_column: [by_lower[name.lower()] for name in columns_named(wanted.expression)]
            for wanted in self.present
            if wanted.expression
        }
        self.read = list(
            dict.fromkeys(
                [
                    *names_of(request.key_columns),
                    timestamp_column,
                    *filter(None, [request.created_column]),
                    *(column_of(wanted) for wanted in self.present if not wanted.expression),
                    *(name for names in self.inputs.values() for name in names),
                ]
            )
        )

    @property
    def not_before(self) -> tuple[str, datetime] | None:
        column, since = self.request.created_column, self.request.changed_since
        return (column, since) if column is not None and since is not None else None


def _batches(opened: OpenTable, plan: _Plan, stack: ExitStack) -> Iterator[Batch]:
    with stack:
        position = 0
        for raw in opened.batches(plan.read, plan.request.batch_rows, not_before=plan.not_before):
            rows = len(raw[plan.timestamp_column])
            batch = _typed(raw, rows, position, plan)
            position += rows
            if batch.table.num_rows:
                yield batch


def _typed(raw: RawRows, rows: int, first: int, plan: _Plan) -> Batch:
    request = plan.request
    faults: list[Fault] = []

    def keep(found: Converted, rule: str, sources: Sequence[str], wanted: WantedColumn | None = None) -> pa.Array[Any]:
        for at, message in found.faults:
            value = [json_value(_at(raw[name], at)) for name in sources]
            faults.append(
                Fault(
                    source_row=first + at,
                    rule=rule,
                    message=message,
                    raw=value[0] if len(value) == 1 else value,
                    feature=None if wanted is None else wanted.name,
                    value_column=None if wanted is None else wanted.value_column,
                )
            )
        return found.values

    keys = read_keys([(key, raw[column]) for key, column in request.key_columns])
    arrays = {"entity_key": keep(keys, "key", names_of(request.key_columns))}
    events = convert(raw[plan.timestamp_column], ValueType.TIMESTAMP, zone_name=request.timezone)
    arrays["event_timestamp"] = keep(_none_missing(events, plan.timestamp_column), "timestamp", [plan.timestamp_column])
    if request.created_column is None:
        arrays["created_timestamp"] = _nulls(rows, ValueType.TIMESTAMP)
    else:
        created = convert(raw[request.created_column], ValueType.TIMESTAMP, zone_name=request.timezone)
        arrays["created_timestamp"] = keep(created, "timestamp", [request.created_column])
    arrays["source_row"] = pa.array(range(first, first + rows), pa.int64())
    for wanted, found, sources in _values(raw, rows, plan):
        arrays[wanted.value_column] = keep(found, "type", sources, wanted)
    table = pa.table(arrays)
    kept = _changed(table, plan, {fault.source_row for fault in faults if fault.rule == "timestamp"})
    if kept is not None:
        table = table.filter(kept)
        left = set(table.column("source_row").to_pylist())
        faults = [fault for fault in faults if fault.source_row in left]
        raw = {name: _filtered(column, kept) for name, column in raw.items()}
    return Batch(table=table, faults=tuple(faults), raw=raw)


def _values(raw: RawRows, rows: int, plan: _Plan) -> Iterator[tuple[WantedColumn, Converted, Sequence[str]]]:
    expressions = {wanted.value_column: wanted.expression for wanted in plan.present if wanted.expression}
    answers = evaluate(expressions, _engine_rows(raw, plan), plan.types) if expressions else None
    present = {wanted.value_column for wanted in plan.present}
    for wanted in plan.request.columns:
        if wanted.value_column not in present:
            yield wanted, Converted(_nulls(rows, wanted.value_type)), ()
        elif answers is not None and wanted.expression:
            answer = answers.column(wanted.value_column).combine_chunks()
            found = convert(answer, wanted.value_type, zone_name=plan.request.timezone)
            yield wanted, found, plan.inputs[wanted.value_column]
        else:
            column = column_of(wanted)
            yield wanted, convert(raw[column], wanted.value_type, zone_name=plan.request.timezone), [column]


def _engine_rows(raw: RawRows, plan: _Plan) -> pa.Table:
    needed = dict.fromkeys(name for names in plan.inputs.values() for name in names)
    columns: dict[str, pa.Array[Any]] = {name: _engine_column(raw[name]) for name in needed}
    # An expression of constants reads no column, and still has one answer for every row.
    columns[" row"] = pa.nulls(len(raw[plan.timestamp_column]), pa.int64())
    return pa.table(columns)


def _engine_column(raw: RawColumn) -> pa.Array[Any]:
    values = as_array(raw)
    if values is not None and not pa.types.is_binary(values.type):
        return values
    texts = [value if value is None or isinstance(value, str) else str(value) for value in raw.tolist()]
    return pa.array(texts, pa.string())


def _changed(table: pa.Table, plan: _Plan, broken: set[int]) -> pa.Array[Any] | None:
    """Which rows were created at or after the instant asked for, or cannot be judged; None for all."""
    if plan.not_before is None:
        return None
    since = pa.scalar(plan.not_before[1], arrow_type(ValueType.TIMESTAMP))
    created: Any = table.column("created_timestamp")
    recent: Any = pc.fill_null(pc.greater_equal(created, since), True)
    unjudged: Any = pc.is_in(table.column("source_row"), pa.array(sorted(broken), pa.int64()))
    kept: Any = pc.or_(recent, unjudged)
    return None if pc.all(kept).as_py() else kept.combine_chunks()


def _none_missing(found: Converted, column: str) -> Converted:
    known = {at for at, _ in found.faults}
    nulls: Any = pc.indices_nonzero(pc.is_null(found.values)).to_pylist()
    absent = [(at, f"the timestamp column {column} is empty") for at in nulls if at not in known]
    return Converted(found.values, tuple(sorted([*found.faults, *absent])))


def _at(column: RawColumn, at: int) -> object:
    return column[at].as_py() if isinstance(column, pa.Array) else column[at]


def _filtered(column: RawColumn, kept: pa.Array[Any]) -> RawColumn:
    if isinstance(column, pa.Array):
        return column.filter(kept)
    left: RawColumn = column[kept.to_numpy(zero_copy_only=False)]
    return left


def _nulls(rows: int, value_type: ValueType) -> pa.Array[Any]:
    kind: Any = arrow_type(value_type)
    nulls: pa.Array[Any] = pa.nulls(rows, kind)
    return nulls


def _reader(source: SourcePlace) -> TableReader:
    reader = READERS.get(source.kind)
    if reader is None:
        raise SourceInvalid(
            f"{source.kind!r} is no kind of source; these are: {', '.join(READERS)}", details={"kind": source.kind}
        )
    return reader(source.location)

"""A source's rows, read whole and checked: what an ingestion takes, flags and keeps out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrow_types import arrow_type
from ingestion.checks import CheckOutcome, check_rows
from ingestion.extraction import Batch, Fault, extract
from ingestion.plan import IngestionPlan
from ingestion.progress import RunProgress


@dataclass(frozen=True)
class SourceRows:
    """``table`` has entity_key, event_timestamp, created_timestamp, source_row and the value columns.

    ``problems`` says of value columns why their source gives no values.
    """

    table: pa.Table
    faults: tuple[Fault, ...]
    problems: dict[str, str]
    has_created: bool
    batches: tuple[Batch, ...]

    def raw_row(self, source_row: int) -> dict[str, Any]:
        """The columns of one row as the source has them."""
        at = bisect_right(self._first_rows, source_row) - 1
        if at < 0:
            raise IndexError(f"row {source_row} was not read")
        return self.batches[at].raw_row(source_row)

    @cached_property
    def _first_rows(self) -> list[int]:
        return [batch.table["source_row"][0].as_py() for batch in self.batches]


@dataclass(frozen=True)
class RejectedRow:
    """A row that a rule keeps out, as the source has it."""

    entity_key: str
    event_timestamp: str
    row: dict[str, Any]
    reasons: tuple[dict[str, Any], ...]


def read_source_rows(plan: IngestionPlan, progress: RunProgress) -> SourceRows:
    """All rows of the group's table, in one snapshot of the source."""
    with extract(plan.request) as extraction:
        batches: list[Batch] = []
        read = 0
        for batch in extraction:
            batches.append(batch)
            read += batch.table.num_rows
            progress.share(read, extraction.row_count)
        missing = extraction.missing
    return SourceRows(
        table=pa.concat_tables([batch.table for batch in batches]) if batches else _no_rows(plan),
        faults=tuple(fault for batch in batches for fault in batch.faults),
        problems=missing,
        has_created=plan.request.created_column is not None,
        batches=tuple(batches),
    )


def check_source_rows(plan: IngestionPlan, rows: SourceRows, *, all_rules: bool) -> CheckOutcome:
    """What the rules say; without ``all_rules`` only what cannot be stored (keys, timestamps) is kept out."""
    rules = plan.rules(rows.problems) if all_rules else ()
    return check_rows(rows.table, rules, plan.row_rules if all_rules else (), rows.faults)


def accepted_rows(rows: SourceRows, outcome: CheckOutcome) -> pa.Table:
    """The rows that no rule keeps out."""
    return rows.table.filter(pc.invert(outcome.rejected))


def rejected_rows(rows: SourceRows, outcome: CheckOutcome) -> Iterator[RejectedRow]:
    """The rows that rules keep out, with their reasons."""
    keys, events = rows.table["entity_key"], rows.table["event_timestamp"]
    numbers = rows.table["source_row"]
    for position, reasons in outcome.reasons.items():
        event = events[position].as_py()
        yield RejectedRow(
            entity_key=keys[position].as_py() or "",
            event_timestamp="" if event is None else event.isoformat(),
            row=rows.raw_row(numbers[position].as_py()),
            reasons=tuple(reason.as_json() for reason in reasons),
        )


def _no_rows(plan: IngestionPlan) -> pa.Table:
    stamp = pa.timestamp("us", tz="UTC")
    fields: Sequence[tuple[str, pa.DataType]] = [
        ("entity_key", pa.string()),
        ("event_timestamp", stamp),
        ("created_timestamp", stamp),
        ("source_row", pa.int64()),
        *((column.value_column, arrow_type(column.value_type)) for column in plan.request.columns),
    ]
    return pa.schema(fields).empty_table()


def unreadable_keys(rows: SourceRows) -> dict[str, set[str]]:
    """Value column → the entity keys whose value in the source is not of the declared type."""
    named = [fault for fault in rows.faults if fault.value_column is not None]
    if not named:
        return {}
    numbers = rows.table["source_row"]
    wanted = pc.is_in(numbers, value_set=pa.array({fault.source_row for fault in named}, numbers.type))
    found = rows.table.filter(wanted)
    keys = dict(zip(found["source_row"].to_pylist(), found["entity_key"].to_pylist(), strict=True))
    columns: dict[str, set[str]] = {}
    for fault in named:
        key = keys.get(fault.source_row)
        if key is not None and fault.value_column is not None:
            columns.setdefault(fault.value_column, set()).add(key)
    return columns

"""Reading value rows: first what orders them, then the values of the rows that were chosen.

A history is read twice with the same filter, and its rows are known by their position in that reading. The
first reading carries four narrow columns through the engine; the second takes the values straight from
Arrow, so every value keeps its type, and only the chosen rows are ever held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as ds

from catalog.errors import InvalidInput
from serving.point_in_time import microseconds
from serving.point_in_time.eligibility import ARRIVAL, CREATED, ENTITY_KEY, EVENT, Eligibility, condition_of
from serving.point_in_time.pieces import fits, read_in_pieces
from serving.point_in_time.request import History
from serving.point_in_time.room import Room
from serving.point_in_time.search import ValueRows

ORDER_SCHEMA = pa.schema(
    [("key", pa.string())] + [(name, pa.int64()) for name in ("event", "created", "arrival", "position")]
)
_READ_AHEAD = 2
_BATCH_ROWS = 64 * 1024


class HistoryScan:
    """The eligible rows of one history, read in pieces where the ``room`` for its row groups is too small."""

    def __init__(self, history: History, eligibility: Eligibility, *, room: Room | None = None) -> None:
        self._dataset = ds.dataset(history) if isinstance(history, pa.Table) else history
        self._eligibility = eligibility
        self._columns = set(self._dataset.schema.names)
        _check_schema(self._dataset.schema)
        self._filter = condition_of(eligibility, self._dataset.schema)
        if isinstance(self._dataset, ds.FileSystemDataset):
            # Row groups are left out by their statistics. Rows are not: filtering would copy every column that is read,
            # while of the rows that cannot answer nothing is looked at but what ranks them.
            self._dataset, self._filter = _possible_row_groups(self._dataset, self._filter), None
        self._room = room

    def order(self) -> pa.RecordBatchReader:
        """Batches of ORDER_SCHEMA with the exactly eligible rows; a null created or arrival is the lowest."""
        return pa.RecordBatchReader.from_batches(ORDER_SCHEMA, self._order_batches())

    def batches(self, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, ValueRows]]:
        """Every batch with at least the named columns that are stored, and its exactly eligible rows."""
        for batch in self._read(self._with_order(columns)):
            if batch.num_rows:
                yield batch, self._ranked(batch)

    def _read(self, columns: list[str]) -> Iterable[pa.RecordBatch]:
        room = self._room
        if room is not None and isinstance(self._dataset, ds.FileSystemDataset) and not fits(self._dataset, room.scan):
            return read_in_pieces(self._dataset, columns, room=room.batch)
        if isinstance(self._dataset, ds.Dataset):
            # By default sixteen batches of twice the rows are read ahead, which takes memory and saves no time.
            return self._dataset.to_batches(
                columns=columns, filter=self._filter, batch_size=_BATCH_ROWS, batch_readahead=_READ_AHEAD
            )
        return self._dataset.to_batches(columns=columns, filter=self._filter)

    def stored(self, columns: Sequence[str]) -> list[str]:
        """Those of the columns that the history has, each once."""
        return [name for name in dict.fromkeys(columns) if name in self._columns]

    def empty(self, columns: Sequence[str]) -> pa.Table:
        """The named columns, which are stored, without a row."""
        return pa.schema([self._dataset.schema.field(name) for name in columns]).empty_table()

    def _with_order(self, columns: Sequence[str] = ()) -> list[str]:
        return self.stored([ENTITY_KEY, EVENT, CREATED, ARRIVAL, *columns])

    def rows(self, columns: Sequence[str], positions: npt.NDArray[np.int64]) -> pa.Table:
        """The named columns of the rows at these positions, which are distinct and ascending.

        A column that the history lacks comes as a column of type null.
        """
        names = list(dict.fromkeys(columns))
        stored = [name for name in names if name in self._columns]
        schema = pa.schema([self._dataset.schema.field(name) for name in stored])
        pieces = list(self._pieces(stored, positions)) if stored and len(positions) else []
        table = pa.Table.from_batches(pieces, schema=schema)
        absent = pa.chunked_array([pa.nulls(len(positions))])
        arrays: list[Any] = [table.column(name) if name in self._columns else absent for name in names]
        return pa.Table.from_arrays(arrays, names=names)

    def row_batches(self, columns: Sequence[str], positions: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """The rows of :meth:`rows`, a part of the history at a time."""
        names = list(dict.fromkeys(columns))
        stored = [name for name in names if name in self._columns]
        for piece in self._pieces(stored, positions) if stored and len(positions) else ():
            absent = pa.nulls(piece.num_rows)
            yield pa.RecordBatch.from_arrays(
                [piece.column(name) if name in self._columns else absent for name in names], names=names
            )

    def _pieces(self, columns: list[str], positions: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        first, taken = 0, 0
        for batch in self._read(columns):
            until = int(np.searchsorted(positions, first + batch.num_rows))
            if until - taken == batch.num_rows:
                yield batch
            elif until > taken:
                yield batch.take(positions[taken:until] - first)
            first, taken = first + batch.num_rows, until
            if taken == len(positions):
                return

    def _order_batches(self) -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in self._read(self._with_order()):
            if batch.num_rows:
                yield self._ordered(batch, first)
            first += batch.num_rows

    def _ordered(self, batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
        rows = self._ranked(batch, first)
        columns = [rows.keys.cast(pa.string()), *map(pa.array, (rows.event, rows.created, rows.arrival, rows.position))]
        return pa.record_batch(columns, schema=ORDER_SCHEMA)

    def _ranked(self, batch: pa.RecordBatch, first: int = 0) -> ValueRows:
        """The exactly eligible rows of a batch; ``position`` counts from ``first``."""
        rows = batch.num_rows
        keys = batch.column(ENTITY_KEY)
        event, no_event = microseconds.of_column(batch.column(EVENT), name=EVENT)
        created, no_created = np.full(rows, microseconds.LOWEST), np.ones(rows, dtype=np.bool_)
        if CREATED in self._columns:
            created, no_created = microseconds.of_column(batch.column(CREATED), name=CREATED)
            if no_created.any():
                created = np.where(no_created, microseconds.LOWEST, created)
        arrival = np.full(rows, microseconds.LOWEST)
        if ARRIVAL in self._columns:
            arrival = microseconds.integers(batch.column(ARRIVAL).cast(pa.int64()), null=microseconds.LOWEST)
        position = np.arange(first, first + rows, dtype=np.int64)
        eligible = self._eligible(event, no_event, created, no_created)
        if keys.null_count:
            eligible &= keys.is_valid().to_numpy(zero_copy_only=False)
        if eligible.all():
            return ValueRows(keys, event, created, arrival, position)
        keys = keys.filter(pa.array(eligible))
        return ValueRows(keys, event[eligible], created[eligible], arrival[eligible], position[eligible])

    def _eligible(
        self,
        event: microseconds.Times,
        no_event: npt.NDArray[np.bool_],
        created: microseconds.Times,
        no_created: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.bool_]:
        rule = self._eligibility
        eligible = ~no_event
        if rule.earliest_event is not None:
            eligible &= event >= rule.earliest_event
        if rule.latest_event is not None:
            eligible &= event <= rule.latest_event
        if rule.created_required or rule.latest_created is not None:
            eligible &= ~no_created
        if rule.latest_created is not None:
            eligible &= created <= rule.latest_created
        return eligible


def _possible_row_groups(dataset: ds.FileSystemDataset, condition: ds.Expression | None) -> ds.FileSystemDataset:
    """Only the row groups in which a row can fulfil ``condition``, as far as statistics tell."""
    if condition is None:
        return dataset
    parts = [fragment.subset(condition, schema=dataset.schema) for fragment in dataset.get_fragments(condition)]
    possible = [part for part in parts if part.row_groups]
    return ds.FileSystemDataset(possible, dataset.schema, dataset.format, filesystem=dataset.filesystem)


def _check_schema(schema: pa.Schema) -> None:
    missing = [name for name in (ENTITY_KEY, EVENT) if name not in schema.names]
    if missing:
        raise InvalidInput(f"the history lacks the columns {missing}; it has {schema.names}")
    for name in (EVENT, CREATED):
        if name in schema.names:
            kind = schema.field(name).type
            if not (pa.types.is_timestamp(kind) and kind.unit == "us" and kind.tz is not None):
                raise InvalidInput(
                    f"the column {name!r} of the history must hold timestamps in microseconds with a zone, "
                    f"but its type is {kind}"
                )

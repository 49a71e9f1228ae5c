"""Rows of one Parquet file at known positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from serving.point_in_time.pieces import READ_BYTES, rows_at_once
from serving.point_in_time.room import TooWideError
from serving.point_in_time.search import Integers

# So many rows of a column stay in the processor's cache from decoding to taking.
_BATCH_ROWS = 32 * 1024


def read_rows(
    fragment: ds.ParquetFileFragment,
    schema: pa.Schema,
    columns: Sequence[str],
    rows: Integers,
    *,
    threads: bool,
    at_once: int | None = None,
    most: int | None = None,
) -> pa.Table:
    """The ``rows``, distinct and ascending, of a file, with ``columns`` as ``schema`` has them; absent ones are null.

    Row groups without any of them are not read; ``threads`` lets columns be decoded side by side. About ``at_once``
    bytes are decoded at a time.

    :raises TooWideError: when the rows take more than ``most`` bytes.
    """
    wanted = pa.schema([schema.field(name) for name in columns])
    present = [name for name in columns if name in fragment.physical_schema.names]
    if not present:
        return pa.table([pa.nulls(len(rows), field.type) for field in wanted], schema=wanted)
    pieces: list[pa.RecordBatch] = []
    held = 0
    for piece in _pieces(fragment, present, rows, threads=threads, at_once=at_once):
        pieces.append(_as_wanted(piece, wanted))
        held += piece.nbytes
        if most is not None and held > most:
            raise TooWideError
    return pa.Table.from_batches(pieces, schema=wanted)


def _pieces(
    fragment: ds.ParquetFileFragment, columns: list[str], rows: Integers, *, threads: bool, at_once: int | None
) -> Iterator[pa.RecordBatch]:
    metadata = fragment.metadata
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    within = np.searchsorted(rows, bounds)
    groups = np.flatnonzero(np.diff(within))
    # Where each row stands in the row groups that are read, as if there were no others.
    skipped = bounds[groups] - np.concatenate([[0], np.cumsum(np.diff(bounds)[groups])[:-1]])
    places = rows - np.repeat(skipped, np.diff(within)[groups])
    first, taken = 0, 0
    step = _BATCH_ROWS if at_once is None else rows_at_once(fragment, columns, at_once, most=_BATCH_ROWS)
    # Column chunks are read whole only where there is memory for many of them.
    buffered = 0 if step == _BATCH_ROWS else READ_BYTES
    with (
        fragment.open() as source,
        pq.ParquetFile(source, metadata=metadata, coerce_int96_timestamp_unit="us", buffer_size=buffered) as file,
    ):
        for batch in file.iter_batches(step, row_groups=groups.tolist(), columns=columns, use_threads=threads):
            until = int(np.searchsorted(places, first + batch.num_rows))
            if until > taken:
                yield batch.select(columns).take(pa.array(places[taken:until] - first))
            first, taken = first + batch.num_rows, until


def _as_wanted(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    if batch.schema.names == wanted.names and batch.schema.types == wanted.types:
        return pa.RecordBatch.from_arrays(batch.columns, schema=wanted)
    names = batch.schema.names
    arrays: list[pa.Array[Any]] = [
        batch.column(field.name).cast(field.type) if field.name in names else pa.nulls(batch.num_rows, field.type)
        for field in wanted
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=wanted)

"""Value rows of the offline store → rows of the online store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from serving.documents import json_documents
from serving.made_ahead import made_ahead
from serving.models.fields import UNKNOWN_US
from serving.stores.online_batches import BATCH_ROWS, OnlineBatch

_UNKNOWN_ARRIVAL = -1


@dataclass(frozen=True, slots=True)
class _Columns:
    """What an :class:`OnlineBatch` is made of, before there is an object for each value."""

    entity_keys: pa.ChunkedArray
    documents: pa.Array
    event_us: npt.NDArray[np.int64]
    created_us: npt.NDArray[np.int64]
    arrivals: npt.NDArray[np.int64]
    run_ids: pa.ChunkedArray


def online_batches(rows: Iterable[pa.RecordBatch], *, value_columns: Sequence[str]) -> Iterator[OnlineBatch]:
    """``rows`` (columns of the offline store) as the online store keeps them, in batches of at most BATCH_ROWS."""
    return map(_batch, _all_columns(rows, value_columns))


@contextmanager
def online_batches_ahead(
    rows: Iterable[pa.RecordBatch], *, value_columns: Sequence[str]
) -> Iterator[Iterator[OnlineBatch]]:
    """The batches of :func:`online_batches`; the next ones are read and made while one is written.

    Only what needs the interpreter's lock for long is left to who takes them.
    """
    with made_ahead(_all_columns(rows, value_columns)) as columns:
        yield map(_batch, columns)


def _all_columns(rows: Iterable[pa.RecordBatch], value_columns: Sequence[str]) -> Iterator[_Columns]:
    for table in _of_batch_size(rows):
        yield _Columns(
            entity_keys=table["entity_key"],
            documents=json_documents(table.select(value_columns)),
            event_us=_microseconds(table["event_timestamp"]),
            created_us=_microseconds(table["created_timestamp"]),
            arrivals=_integers(table["arrival"], _UNKNOWN_ARRIVAL),
            run_ids=pc.fill_null(table["run_id"].cast(pa.string()), ""),
        )


def _batch(columns: _Columns) -> OnlineBatch:
    return OnlineBatch(
        entity_keys=columns.entity_keys.to_pylist(),
        documents=columns.documents.to_pylist(),
        event_us=columns.event_us.tolist(),
        created_us=columns.created_us.tolist(),
        arrivals=columns.arrivals.tolist(),
        run_ids=columns.run_ids.to_pylist(),
    )


def _of_batch_size(rows: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows in tables of BATCH_ROWS, the last one of fewer: what lies in many small files is not written so."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in rows:
        start = 0
        while count + batch.num_rows - start >= BATCH_ROWS:
            taken = BATCH_ROWS - count
            yield pa.Table.from_batches([*held, batch.slice(start, taken)])
            held, count, start = [], 0, start + taken
        if start < batch.num_rows:
            held.append(batch.slice(start))
            count += batch.num_rows - start
    if held:
        yield pa.Table.from_batches(held)


def _microseconds(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return _integers(column.cast(pa.timestamp("us", tz="UTC")), UNKNOWN_US)


def _integers(column: pa.ChunkedArray, unknown: int) -> npt.NDArray[np.int64]:
    return pc.fill_null(column.cast(pa.int64()), unknown).to_numpy()

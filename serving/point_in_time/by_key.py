"""Many entity rows, answered in the order of their keys and given back in their own.

Histories are sorted by key. Entity rows that are answered in that order need a part of a history each, so that it is
read about once, however many slices there are. On the way three things lie on disk: the entity rows sorted in runs, and
the answers to every slice. Memory holds a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from serving.point_in_time.search import rank
from serving.spilled_tables import Spill

_ROW = "row"

Rows = npt.NDArray[np.int64]


def answer_by_key(
    entities: pa.Table,
    answer: Callable[[pa.Table], Iterator[pa.Table]],
    *,
    key_column: str,
    slice_rows: Callable[[], int],
    slice_bytes: int,
    folder: str | Path | None,
) -> Iterator[pa.Table]:
    """The answers to ``entities``, in their order, in tables of about ``slice_bytes``.

    ``answer`` gives the answers to the rows of a table in their order, in one table or several; it is given about
    ``slice_rows`` of them at a time.
    """
    runs = _sorted_runs(entities, key_column, slice_rows(), folder)
    spill: Spill | None = None
    for part in _in_key_order(runs, key_column, slice_rows):
        start = 0
        for answers in answer(part):
            rows = part.column(_ROW).slice(start, answers.num_rows)
            start += answers.num_rows
            numbered = answers.append_column(pa.field(_ROW, pa.int64()), rows)
            if spill is None:
                spill = Spill(numbered.schema, folder=folder)
            spill.put(numbered)
            del answers, numbered
    assert spill is not None
    width = max(spill.bytes / entities.num_rows, 1)
    yield from _in_row_order(spill.batches(), entities.num_rows, max(1, int(slice_bytes / width)), slice_bytes)


def _sorted_runs(entities: pa.Table, key_column: str, run_rows: int, folder: str | Path | None) -> list[pa.RecordBatch]:
    """The entity rows with their numbers, cut into runs that are each sorted by key, nulls last."""
    schema = entities.schema.append(pa.field(_ROW, pa.int64()))
    spill = Spill(schema, folder=folder)
    for start in range(0, entities.num_rows, run_rows):
        part = entities.slice(start, run_rows)
        part = part.append_column(schema.field(_ROW), pa.array(np.arange(start, start + part.num_rows)))
        spill.put(part.take(pc.sort_indices(part, [(key_column, "ascending")])))
    return spill.batches()


def _in_key_order(runs: Sequence[pa.RecordBatch], key_column: str, slice_rows: Callable[[], int]) -> Iterator[pa.Table]:
    """All rows of the runs: those of the lowest keys first, those of one key together, of no key last."""
    keys: list[Any] = [run.column(key_column) for run in runs]
    places, ends = [0] * len(runs), [len(column) - column.null_count for column in keys]
    while open_runs := [number for number, end in enumerate(ends) if places[number] < end]:
        step = max(1, slice_rows() // len(open_runs))
        # No run has more than a step of rows up to the lowest of these keys, but for those of that key itself.
        bound = min(
            (keys[number][min(places[number] + step, ends[number]) - 1].as_py() for number in open_runs),
            key=str.encode,
        )
        parts = []
        for number in open_runs:
            until = rank(keys[number].slice(0, ends[number]), bound, after=True)
            parts.append(runs[number].slice(places[number], until - places[number]))
            places[number] = until
        yield _by_row(parts)
    without = [run.slice(end) for run, end in zip(runs, ends, strict=True) if end < run.num_rows]
    for part in without:
        yield _by_row([part])


def _by_row(parts: Sequence[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(parts).combine_chunks().sort_by(_ROW)


def _in_row_order(
    answered: Sequence[pa.RecordBatch], count: int, most_rows: int, most_bytes: int
) -> Iterator[pa.Table]:
    """The answers by their rows' numbers, which rise within each of ``answered``."""
    rows: list[Rows] = [batch.column(_ROW).to_numpy() for batch in answered]
    places, first = [0] * len(rows), 0
    while first < count:
        until = min(first + most_rows, count)
        ends = [int(np.searchsorted(numbers, until)) for numbers in rows]
        parts = [
            batch.slice(place, end - place)
            for batch, place, end in zip(answered, places, ends, strict=True)
            if end > place
        ]
        if until - first > 1 and sum(part.nbytes for part in parts) > 2 * most_bytes:
            most_rows = max(1, (until - first) // 2)
            continue
        table = pa.Table.from_batches(parts)
        yield table.take(pc.sort_indices(table.column(_ROW))).drop_columns(_ROW)
        places, first = ends, until

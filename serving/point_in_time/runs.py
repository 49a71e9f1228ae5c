"""What is kept of a file between requests: where the run of each key begins, and when its rows happened.

A file never changes once it is written, and every request searches the same keys and times in it. Who has them at hand
finds the row that answers an entity row without reading anything, and then reads values only. In a file that is in
order, later in the run is newer, so created timestamps and arrivals need not be kept: they are looked up when rows of
two files happened at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from serving.point_in_time.eligibility import Eligibility
from serving.point_in_time.history import HistoryScan
from serving.point_in_time.microseconds import Times
from serving.point_in_time.search import NOBODY, Integers, ValueRows, in_rank, runs_in

BYTES_PER_ROW = 8


@dataclass(frozen=True)
class FileRuns:
    """The runs of a file: one per key, ``keys[k]`` from row ``starts[k]`` to before ``starts[k + 1]``.

    ``starts`` ends with one more empty run, which is that of every key that the file does not have.
    """

    keys: pa.Array[Any]
    starts: Integers
    event: Times

    @property
    def rows(self) -> int:
        return len(self.event)

    @property
    def bytes(self) -> int:
        return int(self.keys.nbytes + self.starts.nbytes + self.event.nbytes)

    def newest(self, runs: Integers, times: Times) -> Integers:
        """Per run the last of its rows that happened by the time; NOBODY where none did."""
        before, end = self.starts[runs] - 1, self.starts[runs + 1]
        last = max(self.rows - 1, 0)
        at = before.copy()
        step = 1 << int((end - before).max(initial=0)).bit_length()
        # Of the rows up to ``at`` all happened by then; it goes on by half the step each time that holds further on.
        while step := step >> 1:
            further = at + step
            at += step * ((further < end) & (self.event[np.minimum(further, last)] <= times))
        at[at == before] = NOBODY
        return at


def runs_of(fragment: ds.ParquetFileFragment, dataset: ds.FileSystemDataset) -> FileRuns | None:
    """The runs of a file of ``dataset``; None when its rows are not in order, or lack a key or a time."""
    alone = ds.FileSystemDataset([fragment], dataset.schema, dataset.format, filesystem=dataset.filesystem)
    keys, starts, events = [pa.array([], pa.string())], [_NONE], [_NONE]
    rows = 0
    last: ValueRows | None = None
    for batch, ranked in HistoryScan(alone, Eligibility()).batches([]):
        if len(ranked.position) < batch.num_rows:
            return None
        begins, run_keys = runs_in(ranked.keys)
        if not in_rank(ranked, begins):
            return None
        run_keys = run_keys.cast(pa.string())
        first, final = _edge(ranked, run_keys.slice(0, 1), 0), _edge(ranked, run_keys.slice(len(run_keys) - 1), -1)
        if last is not None and last.keys.equals(first.keys):
            if not in_rank(_joined(last, first), begins[:1]):
                return None
            begins, run_keys = begins[1:], run_keys.slice(1)
        keys.append(run_keys)
        starts.append(begins + rows)
        events.append(ranked.event)
        rows += batch.num_rows
        last = final
    all_keys = pa.concat_arrays(keys)
    if not _distinct(all_keys):
        return None
    return FileRuns(all_keys, np.concatenate([*starts, np.full(2, rows)]), np.concatenate(events))


def _distinct(keys: pa.Array[Any]) -> bool:
    """Whether no key is there twice; mostly they ascend, which is seen at once."""
    ascending = pc.all(pc.less(keys.slice(0, max(len(keys) - 1, 0)), keys.slice(1))).as_py()
    return ascending or pc.count_distinct(keys).as_py() == len(keys)


def _edge(rows: ValueRows, key: pa.Array[Any], at: int) -> ValueRows:
    """The first or last row of a batch, whose key is known."""
    part = slice(at, at + 1 or None)
    return ValueRows(key, rows.event[part], rows.created[part], rows.arrival[part], rows.position[part])


def _joined(last: ValueRows, first: ValueRows) -> ValueRows:
    """The last row of a batch and the first of the next."""
    event, created, arrival, position = (
        np.concatenate([getattr(last, name), getattr(first, name)])
        for name in ("event", "created", "arrival", "position")
    )
    return ValueRows(pa.concat_arrays([last.keys, first.keys]), event, created, arrival, position)


_NONE: Integers = np.empty(0, dtype=np.int64)

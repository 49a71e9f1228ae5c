"""The values that answer the entity rows, read in one pass over a history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from serving.point_in_time.history import ENTITY_KEY, HistoryScan
from serving.point_in_time.microseconds import Times
from serving.point_in_time.search import NOBODY, Asked, Best, Integers, find_in_batch

# Rows kept beyond twice those that can still be needed, before they are tidied up.
_MOST_OUTDONE = 50_000


@dataclass(frozen=True)
class Found:
    """Per entity row the row of ``values`` that answers it, or NOBODY, and that row's event timestamp.

    ``values`` has the wanted columns that the history stores.
    """

    values: pa.Table
    chosen: Integers
    events: Times


def find_values(*, scan: HistoryScan, asked: Asked, columns: Sequence[str], known_at_event_time: bool) -> Found:
    """The newest eligible row at or before the time of each entity row, with the values of ``columns``.

    Each batch of the history is read once, and only rows that answer are kept of it.
    """
    # A table without a column would forget how many rows it has.
    stored = scan.stored(columns) or [ENTITY_KEY]
    best = Best.none(len(asked.times))
    kept: list[pa.Table] = [scan.empty(stored)]
    count = 0
    if len(asked.keys):
        for batch, rows in scan.batches(stored):
            entity, ordered, at = find_in_batch(asked, rows, known_at_event_time=known_at_event_time)
            better = best.improved_by(entity, ordered, at)
            entity, at = entity[better], at[better]
            if len(entity) == 0:
                continue
            positions, index = np.unique(ordered.position[at], return_inverse=True)
            kept.append(pa.Table.from_batches([batch.select(stored)]).take(pa.array(positions)))
            best.take(entity, ordered, at, count + index)
            count += len(positions)
            if count > 2 * len(asked.times) + _MOST_OUTDONE:
                values = _tidy(pa.concat_tables(kept), best)
                kept, count = [values], values.num_rows
    return Found(values=pa.concat_tables(kept).combine_chunks(), chosen=best.kept, events=best.event)


def _tidy(values: pa.Table, best: Best) -> pa.Table:
    """The rows that still answer somebody; ``best`` is made to point to these."""
    answering = best.kept != NOBODY
    positions, index = np.unique(best.kept[answering], return_inverse=True)
    best.kept[answering] = index
    return values.take(pa.array(positions))

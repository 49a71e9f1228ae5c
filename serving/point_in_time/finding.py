"""The values that answer the entity rows, read in one pass over a history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from serving.point_in_time.eligibility import ENTITY_KEY
from serving.point_in_time.history import HistoryScan
from serving.point_in_time.microseconds import Times
from serving.point_in_time.room import TooWideError
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


def find_values(
    *, scan: HistoryScan, asked: Asked, columns: Sequence[str], known_at_event_time: bool, room: int | None = None
) -> Found:
    """The newest eligible row at or before the time of each entity row, with the values of ``columns``.

    Each batch of the history is read once, and only rows that answer are kept of it.

    :raises TooWideError: when the rows that answer take more than ``room`` bytes.
    """
    # A table without a column would forget how many rows it has.
    stored = scan.stored(columns) or [ENTITY_KEY]
    best = Best.none(len(asked.times))
    kept: list[pa.Table] = [scan.empty(stored)]
    count = held = 0
    if len(asked.keys):
        for batch, rows in scan.batches(stored):
            places, ordered, at = find_in_batch(asked, rows, known_at_event_time=known_at_event_time)
            better = best.improved_by(places, ordered, at)
            if not better.all():
                places, at = places[better], at[better]
            if len(places) == 0:
                continue
            answering, number = at, np.arange(len(at))
            # A row that answers several is kept as often, but where most do: finding those costs more than it saves.
            if len(at) > batch.num_rows:
                answering, number = np.unique(at, return_inverse=True)
            taken = pa.Table.from_batches([batch.select(stored)]).take(pa.array(ordered.position[answering]))
            kept.append(taken)
            best.take(places, ordered, at, count + number)
            count, held = count + len(answering), held + taken.nbytes
            if count > 2 * len(asked.times) + _MOST_OUTDONE or (room is not None and held > 2 * room):
                values = _tidy(pa.concat_tables(kept), best)
                kept, count, held = [values], values.num_rows, values.nbytes
                if room is not None and held > room:
                    raise TooWideError
            del taken
    values = pa.concat_tables(kept).combine_chunks()
    return Found(values=values, chosen=asked.by_row(best.kept), events=asked.by_row(best.event))


def _tidy(values: pa.Table, best: Best) -> pa.Table:
    """The rows that still answer somebody; ``best`` is made to point to these."""
    answering = best.kept != NOBODY
    positions, index = np.unique(best.kept[answering], return_inverse=True)
    best.kept[answering] = index
    return values.take(pa.array(positions))

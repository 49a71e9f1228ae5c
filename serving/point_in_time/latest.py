"""The newest value row of every entity key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from serving.point_in_time import microseconds
from serving.point_in_time.eligibility import CREATED, ENTITY_KEY, EVENT, RUN, Eligibility
from serving.point_in_time.engine import newest_positions
from serving.point_in_time.history import HistoryScan
from serving.point_in_time.request import EngineLimits, History


@dataclass(frozen=True)
class LatestRows:
    """Where the newest row of every key stands in a history; their values are read when they are asked for.

    ``newest_event`` is the latest event of them all, in microseconds; None where there is no row.
    """

    scan: HistoryScan
    positions: npt.NDArray[np.int64]
    names: tuple[str, ...]
    newest_event: int | None

    @property
    def count(self) -> int:
        return len(self.positions)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as :func:`latest_rows` has them, a part of the history at a time."""
        return self.scan.row_batches(self.names, self.positions)

    def keys(self) -> pa.ChunkedArray:
        """Their entity keys alone."""
        return self.scan.rows([ENTITY_KEY], self.positions).column(ENTITY_KEY)

    def table(self) -> pa.Table:
        """All rows at once."""
        return self.scan.rows(self.names, self.positions)


def find_latest(
    history: History,
    *,
    as_of: datetime | None,
    columns: Sequence[str],
    limits: EngineLimits | None = None,
) -> LatestRows:
    """The rows of :func:`latest_rows`, found by what orders them alone, so that they need not be held at once."""
    latest_event = None if as_of is None else microseconds.of_instant(as_of)
    scan = HistoryScan(history, Eligibility(latest_event=latest_event))
    positions, newest_event = newest_positions(scan=scan, limits=limits or EngineLimits())
    names = tuple(dict.fromkeys([ENTITY_KEY, EVENT, CREATED, RUN, *columns]))
    return LatestRows(scan=scan, positions=positions, names=names, newest_event=newest_event)


def latest_rows(
    history: History,
    *,
    as_of: datetime | None,
    columns: Sequence[str],
    limits: EngineLimits | None = None,
) -> pa.Table:
    """Per entity key the row with the greatest (event, created, arrival) and an event at or before ``as_of``.

    Gives the columns ``entity_key``, ``event_timestamp``, ``created_timestamp``, ``run_id`` and the named
    ones, as they are stored; one that the history lacks is a column of type null. Rows come in the order
    in which the history stores them. Rows without a key or an event timestamp never count.
    """
    return find_latest(history, as_of=as_of, columns=columns, limits=limits).table()

"""The newest value row of every entity key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from serving.point_in_time import microseconds
from serving.point_in_time.engine import newest_positions
from serving.point_in_time.history import CREATED, ENTITY_KEY, EVENT, RUN, Eligibility, HistoryScan
from serving.point_in_time.request import EngineLimits, History


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
    latest_event = None if as_of is None else microseconds.of_instant(as_of)
    scan = HistoryScan(history, Eligibility(latest_event=latest_event))
    positions = newest_positions(scan=scan, limits=limits or EngineLimits())
    names = list(dict.fromkeys([ENTITY_KEY, EVENT, CREATED, RUN, *columns]))
    return scan.rows(names, positions)

"""The embedded engine: which value row answers which entity row.

The order of value rows, (event, created, arrival, position), is one composite value and part of the
inequality of the join, because an ASOF join by itself takes any of several rows with an equal bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.errors import TooLarge
from serving.point_in_time.history import HistoryScan
from serving.point_in_time.microseconds import HIGHEST, LOWEST, Times
from serving.point_in_time.request import EngineLimits

NOBODY = -1

_RANK = "{'event': event, 'created': created, 'arrival': arrival, 'position': position}"
_ABOVE_ALL_AT_TIME = f"{{'event': time, 'created': {HIGHEST}, 'arrival': {HIGHEST}, 'position': {HIGHEST}}}"

_NEWEST_AT_TIME = f"""
    SELECT asked.row, stored.rank.event AS event, stored.rank.position AS position
    FROM (SELECT row, key, {_ABOVE_ALL_AT_TIME} AS bound FROM entity_rows) AS asked
    ASOF JOIN (SELECT key, {_RANK} AS rank FROM value_rows) AS stored
    ON asked.key = stored.key AND asked.bound >= stored.rank
"""

# A row can answer from the moment it has both happened and become known. Along that moment, the running
# greatest rank is the newest row that was known; rows with the same moment share it, so ties do no harm.
_NEWEST_KNOWN_AT_TIME = f"""
    SELECT asked.row, stored.newest.event AS event, stored.newest.position AS position
    FROM entity_rows AS asked
    ASOF JOIN (
        SELECT key, greatest(event, created) AS answerable,
               max({_RANK}) OVER (PARTITION BY key ORDER BY greatest(event, created)) AS newest
        FROM value_rows
    ) AS stored
    ON asked.key = stored.key AND asked.time >= stored.answerable
"""

_NEWEST_PER_KEY = f"""
    SELECT newest.position AS position FROM (SELECT max({_RANK}) AS newest FROM value_rows GROUP BY key)
"""


@dataclass(frozen=True)
class Choice:
    """Per entity row the position of the value row that answers it, or NOBODY, and that row's event."""

    positions: npt.NDArray[np.int64]
    events: Times


def choose_rows(
    *, keys: pa.Array[Any], times: Times, scan: HistoryScan, known_at_event_time: bool, limits: EngineLimits
) -> Choice:
    """The newest eligible row at or before each entity row's time; a null key is answered by nobody.

    With ``known_at_event_time``, the newest among those created at or before that time as well.
    """
    positions = np.full(len(keys), NOBODY, dtype=np.int64)
    events = np.full(len(keys), LOWEST, dtype=np.int64)
    rows = np.arange(len(keys), dtype=np.int64)
    entity_rows = pa.table({"row": pa.array(rows), "key": keys, "time": pa.array(times)})
    query = _NEWEST_KNOWN_AT_TIME if known_at_event_time else _NEWEST_AT_TIME
    with _connection(limits) as connection, scan.order() as value_rows:
        connection.register("entity_rows", entity_rows)
        connection.register("value_rows", value_rows)
        answered = connection.sql(query).to_arrow_table()
    answered_rows = answered.column("row").to_numpy()
    positions[answered_rows] = answered.column("position").to_numpy()
    events[answered_rows] = answered.column("event").to_numpy()
    return Choice(positions=positions, events=events)


def newest_positions(*, scan: HistoryScan, limits: EngineLimits) -> npt.NDArray[np.int64]:
    """The position of the newest eligible row of every entity key, ascending."""
    with _connection(limits) as connection, scan.order() as value_rows:
        connection.register("value_rows", value_rows)
        newest = connection.sql(_NEWEST_PER_KEY).to_arrow_table()
    return np.sort(newest.column("position").to_numpy())


@contextmanager
def _connection(limits: EngineLimits) -> Iterator[duckdb.DuckDBPyConnection]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "enable_external_access": "false",
    }
    if limits.memory_limit is not None:
        config["memory_limit"] = limits.memory_limit
    if limits.threads is not None:
        config["threads"] = limits.threads
    if limits.temp_directory is not None:
        Path(limits.temp_directory).mkdir(parents=True, exist_ok=True)
    # Engines that share a folder to spill to could meet in the names of their files: each gets its own.
    with TemporaryDirectory(prefix="point-in-time-", dir=limits.temp_directory, ignore_cleanup_errors=True) as folder:
        connection = duckdb.connect(":memory:", config={**config, "temp_directory": folder})
        try:
            yield connection
        except duckdb.OutOfMemoryException as error:
            raise TooLarge(
                "the request needs more memory than the engine may use; ask for fewer rows at a time or raise "
                "its memory limit",
                details={"memory_limit": limits.memory_limit},
            ) from error
        finally:
            connection.close()

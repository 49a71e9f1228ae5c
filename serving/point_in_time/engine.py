"""The embedded engine: the newest row of every entity key, by (event, created, arrival, position)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from catalog.errors import TooLarge
from serving.point_in_time.history import HistoryScan
from serving.point_in_time.request import EngineLimits
from serving.spilling import spill_folder

_RANK = "{'event': event, 'created': created, 'arrival': arrival, 'position': position}"
_NEWEST_PER_KEY = f"""
    SELECT newest.position AS position, newest.event AS event
    FROM (SELECT max({_RANK}) AS newest FROM value_rows GROUP BY key)
"""


def newest_positions(*, scan: HistoryScan, limits: EngineLimits) -> tuple[npt.NDArray[np.int64], int | None]:
    """The position of the newest eligible row of every entity key, ascending; and the latest event of these rows."""
    with _connection(limits) as connection, scan.order() as value_rows:
        connection.register("value_rows", value_rows)
        newest = connection.sql(_NEWEST_PER_KEY).to_arrow_table()
    return np.sort(newest.column("position").to_numpy()), pc.max(newest.column("event")).as_py()


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
    # Engines that share a folder to spill to could meet in the names of their files: each gets its own.
    with spill_folder(limits.temp_directory, work="point-in-time") as folder:
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

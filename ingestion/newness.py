"""Which rows of a source the history does not hold yet (pure: no Django).

The comparison is by content, so late-arriving rows and corrections that kept their timestamp are found as well as
rows with a new one:

* With a created column in the source, a row stands for (entity key, event, created).
* Without one, a row stands for (entity key, event), and the newest row that the history holds for it counts.

A row is new when the history has no such row, or has it with other values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from serving import spilling


@dataclass(frozen=True)
class NewRows:
    """``rows`` in source order; ``superseded`` rows were followed by another of the same key and times."""

    rows: pa.Table
    unchanged: int
    superseded: int


def select_new_rows(
    *,
    incoming: pa.Table,
    history: pads.Dataset | None,
    value_columns: Sequence[str],
    source_has_created: bool,
    ignore_run: str | None = None,
    memory_limit: str | None = None,
    spill_folder: Path | None = None,
) -> NewRows:
    """The rows of ``incoming`` that ``history`` does not hold.

    ``incoming`` has entity_key, event_timestamp, created_timestamp, source_row and the value columns. Rows that
    ``ignore_run`` wrote do not count as held: a run that was interrupted after its commit finds its own rows again.
    Beyond ``memory_limit`` the comparison spills to ``spill_folder``, by default the system's temporary folder.
    """
    limit = {"memory_limit": memory_limit} if memory_limit else {}
    identity = ["entity_key", "event_timestamp", *(["created_timestamp"] if source_has_created else [])]
    with (
        spilling.spill_folder(spill_folder, work="newness") as folder,
        duckdb.connect(config={"temp_directory": folder, **limit}) as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("incoming", incoming)
        keys = ", ".join(_quoted(name) for name in identity)
        latest = connection.sql(f"SELECT max(source_row) AS source_row FROM incoming GROUP BY {keys}").to_arrow_table()
        kept = incoming.filter(pc.is_in(incoming["source_row"], value_set=latest["source_row"].combine_chunks()))
        superseded = incoming.num_rows - kept.num_rows
        if history is None or kept.num_rows == 0:
            return NewRows(rows=kept, unchanged=0, superseded=superseded)
        connection.register("kept", kept)
        connection.register("history", history.scanner(**_scan(history, kept, value_columns)).to_reader())
        stored = [name for name in value_columns if name in history.schema.names]
        unchanged = connection.sql(_held(identity, value_columns, stored), params=[ignore_run or ""]).to_arrow_table()
    held = pc.is_in(kept["source_row"], value_set=unchanged["source_row"].combine_chunks())
    rows = kept.filter(pc.invert(held))
    return NewRows(rows=rows, unchanged=kept.num_rows - rows.num_rows, superseded=superseded)


def _scan(history: pads.Dataset, kept: pa.Table, value_columns: Sequence[str]) -> dict[str, Any]:
    bounds = pc.min_max(kept["event_timestamp"])
    event = pc.field("event_timestamp")
    names = ["entity_key", "event_timestamp", "created_timestamp", "run_id", "arrival", *value_columns]
    return {
        "columns": [name for name in names if name in history.schema.names],
        "filter": (event >= bounds["min"]) & (event <= bounds["max"]),
    }


def _held(identity: Sequence[str], value_columns: Sequence[str], stored: Sequence[str]) -> str:
    keys = ", ".join(_quoted(name) for name in identity)
    same_row = " AND ".join(f"k.{_quoted(name)} IS NOT DISTINCT FROM h.{_quoted(name)}" for name in identity)
    same_values = "".join(
        f" AND k.{_quoted(name)} IS NOT DISTINCT FROM h.{_quoted(name)}"
        if name in stored
        else f" AND k.{_quoted(name)} IS NULL"
        for name in value_columns
    )
    return f"""
        WITH newest AS (
            SELECT * FROM history WHERE run_id IS DISTINCT FROM $1
            QUALIFY row_number() OVER (
                PARTITION BY {keys} ORDER BY created_timestamp DESC NULLS LAST, arrival DESC NULLS LAST
            ) = 1
        )
        SELECT k.source_row FROM kept k JOIN newest h ON {same_row}{same_values}
    """


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

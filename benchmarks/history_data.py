"""Seeded data of the historical benchmark: entities × events × groups × features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_DAY_US = 86_400_000_000
_START_US = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_SPAN_DAYS = 300


@dataclass(frozen=True)
class Shape:
    """How much is generated; the defaults are those of the published table."""

    entities: int = 100_000
    events: int = 10
    groups: int = 4
    features: int = 25
    seed: int = 7


def group_name(number: int) -> str:
    return f"group_{number}"


def feature_name(group: int, number: int) -> str:
    return f"g{group}_f{number:02d}"


def history_of(shape: Shape, group: int) -> pa.Table:
    """The value rows of one group in the order in which they happened: entity_id, event and created timestamp,
    and ``shape.features`` columns of 64-bit floats, one value in twenty null.
    """
    random = np.random.default_rng(shape.seed + group)
    rows = shape.entities * shape.events
    keys = np.repeat(np.arange(shape.entities, dtype=np.int64), shape.events)
    # Whole seconds, so that some events of an entity fall together and ties must be decided.
    events = _START_US + random.integers(0, _SPAN_DAYS * 86_400, rows) * 1_000_000
    order = np.argsort(events, kind="stable")
    created = events + random.integers(0, 3_600, rows) * 1_000_000
    stamp = pa.timestamp("us", tz="UTC")
    columns: dict[str, pa.Array] = {
        "entity_id": pa.array(keys[order]),
        "event_timestamp": pa.array(events[order]).cast(stamp),
        "created_timestamp": pa.array(created[order]).cast(stamp),
    }
    for number in range(shape.features):
        columns[feature_name(group, number)] = pa.array(random.normal(size=rows), mask=random.random(rows) < 0.05)
    return pa.table(columns)


def next_history(shape: Shape, group: int, turn: int) -> pa.Table:
    """One more row of every entity for a shape of one event: other values, so many seconds later than the first."""
    first = history_of(shape, group)
    again = history_of(replace(shape, seed=shape.seed + 1_000 * turn), group)
    later = pa.scalar(turn * 1_000_000, pa.duration("us"))
    moved = {name: pc.add(first.column(name), later) for name in ("event_timestamp", "created_timestamp")}
    # Both are in the order of their events, so the keys of the first stand beside values of the second.
    values = {name: again.column(name) for name in again.column_names[3:]}
    return pa.table({"entity_id": first.column("entity_id"), **moved, **values})


def write_flat_files(shape: Shape, folder: Path) -> list[Path]:
    """One flat Parquet file per group, as a pipeline would leave it; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for group in range(shape.groups):
        file = folder / f"{group_name(group)}.parquet"
        if not file.is_file():
            pq.write_table(history_of(shape, group), file, compression="zstd")
        files.append(file)
    return files


def entity_rows(shape: Shape, count: int) -> pa.Table:
    """``count`` entity rows: random entities at random times within the span, and a label."""
    random = np.random.default_rng(shape.seed + 1_000 + count)
    times = _START_US + random.integers(0, _SPAN_DAYS * 86_400, count) * 1_000_000
    return pa.table(
        {
            "entity_id": pa.array(random.integers(0, shape.entities, count)),
            "event_timestamp": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
            "label": pa.array(random.integers(0, 2, count)),
        }
    )

"""A join whose answer is many times larger than the memory it may use, told by what the process needed.

``python -m tests.serving.large_join FOLDER FORMAT`` prints as JSON the bytes of the limit, of the values, of the answer
as it was sent, and those that the process needed beyond what it had before. It is a process of its own, as only
that tells what is needed.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from serving.point_in_time import GroupHistory, WantedColumn, answer_in_slices, rows_within
from serving.wire.outgoing import arrow_stream, csv_file, parquet_file

LIMIT = 4 * 1024**2
ENTITIES = 4_000
EVENTS = 10
FEATURES = 30
ENTITY_ROWS = 300_000
_INSTANT = pa.timestamp("us", tz="UTC")
_FORMATS = {"arrow": arrow_stream, "parquet": parquet_file, "csv": csv_file}


def write_history(file: Path) -> None:
    """Value rows sorted as the offline store keeps them, in small row groups."""
    keys = sorted(str(number) for number in range(ENTITIES))
    rows = ENTITIES * EVENTS
    table = {
        "entity_key": pa.array(np.repeat(keys, EVENTS)),
        "event_timestamp": pa.array(np.tile(np.arange(EVENTS), ENTITIES)).cast(_INSTANT),
        **{f"x{number}_v1": pa.array(np.arange(rows, dtype=np.float64)) for number in range(FEATURES)},
    }
    pq.write_table(pa.table(table), file, row_group_size=10_000)


def answer(file: Path, rows: int) -> Iterator[pa.Table]:
    """The answer to so many entity rows, slice by slice."""
    random = np.random.default_rng(7)
    entities = pa.table(
        {
            "key": pa.array(random.integers(0, ENTITIES, rows)).cast(pa.string()),
            "at": pa.array(random.integers(0, EVENTS, rows)).cast(_INSTANT),
        }
    )
    wanted = tuple(WantedColumn(f"x{number}_v1", f"x{number}", pa.float64()) for number in range(FEATURES))
    return answer_in_slices(
        entities=entities,
        time_column="at",
        groups=[GroupHistory(name="g", history=ds.dataset(file), wanted=wanted, key_column="key")],
        slice_rows=rows_within(LIMIT, columns=FEATURES),
    )


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    file, write = Path(sys.argv[1]) / "history.parquet", _FORMATS[sys.argv[2]]
    write_history(file)
    # What every request needs once, such as threads and pools, is had before.
    for _ in write(answer(file, 20_000)):
        pass
    before, sent, rows = peak(), 0, 0

    def counted() -> Iterator[pa.Table]:
        nonlocal rows
        for part in answer(file, ENTITY_ROWS):
            rows += part.num_rows
            yield part

    for piece in write(counted()):
        sent += len(piece)
    values = ENTITY_ROWS * FEATURES * 8
    print(json.dumps({"limit": LIMIT, "rows": rows, "values": values, "sent": sent, "needed": peak() - before}))


if __name__ == "__main__":
    main()

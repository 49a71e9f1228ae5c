"""A join whose answer is many times larger than the memory it may use, told by what the process needed.

``python -m tests.serving.large_join FOLDER history`` writes the history, in a process of its own, so that what that
takes hides nothing of what reading takes. ``python -m tests.serving.large_join FOLDER FORMAT ROWS`` answers so many
entity rows, and prints as JSON the bytes of the limit, of the history, of the values, of the answer as it was sent, and
the most that the process ever had.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from serving.point_in_time import GroupHistory, WantedColumn, answer_in_slices
from serving.wire.outgoing import arrow_stream, csv_file, parquet_file
from serving.wire.whole import Spool

LIMIT = 4 * 1024**2
ENTITIES = 4_000
EVENTS = 20
FEATURES = 30
_INSTANT = pa.timestamp("us", tz="UTC")
_FORMATS = {"arrow": arrow_stream, "parquet": parquet_file, "csv": csv_file}


def write_history(file: Path) -> None:
    """Value rows sorted as the offline store keeps them, in small row groups."""
    keys = sorted(str(number) for number in range(ENTITIES))
    rows = ENTITIES * EVENTS
    columns = {
        "entity_key": pa.array(np.repeat(keys, EVENTS)),
        "event_timestamp": pa.array(np.tile(np.arange(EVENTS), ENTITIES)).cast(_INSTANT),
        **{f"x{number}_v1": pa.array(np.arange(rows, dtype=np.float64)) for number in range(FEATURES)},
    }
    pq.write_table(pa.table(columns), file, row_group_size=10_000, use_dictionary=False)


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
        memory=LIMIT,
    )


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    file = Path(sys.argv[1]) / "history.parquet"
    if sys.argv[2] == "history":
        write_history(file)
        return
    write, asked = _FORMATS[sys.argv[2]], int(sys.argv[3])
    sent, rows = 0, 0

    def counted() -> Iterator[pa.Table]:
        nonlocal rows
        for part in answer(file, asked):
            rows += part.num_rows
            yield part

    with closing(Spool(write(counted()), folder=Path(sys.argv[1]))) as answered:
        for piece in answered:
            sent += len(piece)
    values = asked * FEATURES * 8
    history = ENTITIES * EVENTS * FEATURES * 8
    told = {"limit": LIMIT, "history": history, "rows": rows, "values": values, "sent": sent, "peak": peak()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()

"""``python -m tests.ingestion.around_compaction ROLE FOLDER ARGUMENT...``: one process around the history ``payments``.

``write`` commits as runs do, ``append`` as other engines do, ``read`` asks for the newest values, ``compact`` makes
few files again and again, ``halt`` begins a compaction and stops when it has written data files. What a process has to
tell, it prints as JSON at its end; the files in FOLDER are what they tell each other meanwhile.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django
import pyarrow as pa
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError

django.setup()

from catalog.models import FeatureGroup  # noqa: E402  # models need the set-up
from ingestion import leases  # noqa: E402
from ingestion.compaction import compact_group  # noqa: E402
from ingestion.rebuilding import lease_for  # noqa: E402
from serving.point_in_time import GroupHistory, WantedColumn, join_point_in_time  # noqa: E402
from serving.stores import compaction  # noqa: E402
from serving.stores.keyed_rows import KeyedRows  # noqa: E402
from serving.stores.offline import append_history, epoch_of, history_location, open_history  # noqa: E402

_START = datetime(2025, 1, 1, tzinfo=UTC)
_STAMP = pa.timestamp("us", tz="UTC")
GROUP = "payments"
COMPACTIONS = 3
_REFUSALS = 5


def rows(key: str, first: int, count: int, *, arrival: bool) -> pa.Table:
    """Value rows whose value is the number of their event."""
    moments = pa.array([_START + timedelta(seconds=first + number) for number in range(count)], _STAMP)
    return pa.table(
        {
            "entity_key": [key] * count,
            "event_timestamp": moments,
            "created_timestamp": moments,
            "run_id": ["run"] * count,
            "arrival": pa.array(range(first, first + count) if arrival else [None] * count, pa.int64()),
            "balance_v1": pa.array(range(first, first + count), pa.int64()),
        }
    )


def write(folder: Path, count: str) -> None:
    group = FeatureGroup.objects.get(name=GROUP)
    for number in _until_compacted(folder, "written", int(count)):
        lease = lease_for(group, 60)
        try:
            epoch = max(lease.epoch, epoch_of(open_history(group)) + 1)
            table = rows("written", number, 1, arrival=True)
            append_history(group=group, rows=table, run_id=f"run-{number}", epoch=epoch)
        finally:
            leases.release(lease)


def append(folder: Path, count: str) -> None:
    location = history_location(FeatureGroup.objects.get(name=GROUP))
    for number in _until_compacted(folder, "appended", int(count)):
        _append_again_if_told(location, rows("appended", number, 1, arrival=False))


def _append_again_if_told(location: str, table: pa.Table) -> None:
    """What another engine does whose commit is refused because files went meanwhile: it commits again."""
    for _ in range(_REFUSALS):
        with suppress(CommitFailedError):
            write_deltalake(location, table, mode="append")
            return
    write_deltalake(location, table, mode="append")


def _until_compacted(folder: Path, name: str, count: int) -> Iterator[int]:
    """Numbers up to ``count`` at least, and on until three compactions were made; each is told when it is done."""
    number = 0
    while number < count or (folder / "compacting").exists() and _heard(folder / "compactions") < COMPACTIONS:
        yield number
        _say(folder / name, number)
        number += 1
        time.sleep(0.1)
    print(number)


def read(folder: Path) -> None:
    group = FeatureGroup.objects.get(name=GROUP)
    reads, longest, newest = 0, 0.0, {"written": -1, "appended": -1}
    while not (folder / "stop").exists():
        known = {key: _heard(folder / key) for key in newest}
        began = time.monotonic()
        found = _newest(group, reads)
        longest = max(longest, time.monotonic() - began)
        for key, value in found.items():
            assert value >= max(known[key], newest[key]), (key, value, known, newest)
        newest, reads = found, reads + 1
        _say(folder / "read", reads)
    print(json.dumps({"reads": reads, "longest": longest, "newest": newest}))


def _newest(group: FeatureGroup, turn: int) -> dict[str, int]:
    keys = ["written", "appended"]
    history = open_history(group)
    assert history is not None
    stored = history.dataset if turn % 2 else KeyedRows(history.table, keys)
    wanted = (WantedColumn("balance_v1", "balance", pa.int64(), default=-1),)
    joined = join_point_in_time(
        entities=pa.table({"key": keys, "at": pa.array([datetime(2030, 1, 1, tzinfo=UTC)] * 2, _STAMP)}),
        time_column="at",
        groups=[GroupHistory(GROUP, stored, wanted, "key")],
    )
    return dict(zip(keys, joined.column("balance").to_pylist(), strict=True))


def compact(folder: Path) -> None:
    group, made = FeatureGroup.objects.get(name=GROUP), 0
    (folder / "compacting").touch()
    while not (folder / "stop").exists():
        done = compact_group(group, timeout=60)
        assert done is not None
        made += 1
        _say(folder / "compactions", made)
        time.sleep(0.6)  # A lease is not handed over in turn: who waits for it looks four times a second.
    print(json.dumps({"compactions": made}))


def halt(folder: Path, flag: str) -> None:
    """Until it is killed, it holds the lease and has data files that no version names."""
    compaction.FILE_BYTES = 1
    compaction.ROW_GROUP_ROWS = 1_000
    written = compaction.write_deltalake

    def stop_after_some(table: Any, data: pa.RecordBatchReader, **how: Any) -> None:
        def batches() -> Iterator[pa.RecordBatch]:
            before = _data_files(table.table_uri)

            def stop_if_some() -> None:
                if _data_files(table.table_uri) > before + 1:
                    (folder / flag).touch()
                    time.sleep(600)

            for batch in data:
                yield batch
                stop_if_some()
            # The files are written by other threads, which may be behind.
            end = time.monotonic() + 30
            while time.monotonic() < end:
                stop_if_some()
                time.sleep(0.01)

        written(table, pa.RecordBatchReader.from_batches(data.schema, batches()), **how)

    compaction.write_deltalake = stop_after_some
    compact_group(FeatureGroup.objects.get(name=GROUP))


def _data_files(uri: str) -> int:
    return len(list(Path(uri.removeprefix("file://")).glob("*.parquet")))


def _say(path: Path, number: int) -> None:
    waiting = path.with_suffix(".new")
    waiting.write_text(str(number))
    waiting.replace(path)


def _heard(path: Path) -> int:
    return int(path.read_text()) if path.exists() else -1


if __name__ == "__main__":
    role, where, *rest = sys.argv[1:]
    {"write": write, "append": append, "read": read, "compact": compact, "halt": halt}[role](Path(where), *rest)

"""Tables that wait on disk and are read as if they were in memory (pure: no Django).

Their file has no name, so it is gone with the last table that is read from it, however the process ends. It is mapped:
what is read of it are pages that the system takes back when it needs memory.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO, cast

import pyarrow as pa

from catalog.errors import Unavailable


class Spill:
    """Tables of one schema, put away one after the other and given back together."""

    def __init__(self, schema: pa.Schema, *, folder: str | Path | None) -> None:
        self._schema = schema
        place = Path(folder or gettempdir())
        place.mkdir(parents=True, exist_ok=True)
        self._file = cast(BinaryIO, TemporaryFile(dir=place))  # noqa: SIM115  # closed when it is read
        self._writer = pa.ipc.new_stream(self._file, schema)
        self.bytes = 0

    def put(self, table: pa.Table) -> None:
        """Write the table, as one batch."""
        for batch in table.combine_chunks().to_batches():
            self.put_batch(batch)

    def put_batch(self, batch: pa.RecordBatch) -> None:
        """Write the batch.

        :raises Unavailable: when there is no room for it.
        """
        try:
            self._writer.write_batch(batch)
        except OSError as error:
            raise Unavailable(f"there is no room on disk for what does not fit into memory: {error}") from error
        self.bytes += batch.nbytes

    def batches(self) -> list[pa.RecordBatch]:
        """All batches, each as it was put; nothing can be put any more."""
        self._writer.close()
        self._file.flush()
        with self._file as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return list(pa.ipc.open_stream(pa.py_buffer(mapped)))

    def table(self) -> pa.Table:
        """All that was put, as one table."""
        return pa.Table.from_batches(self.batches(), schema=self._schema)


def spilled(batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, folder: str | Path | None) -> pa.Table:
    """The batches as one table that lies on disk."""
    spill = Spill(schema, folder=folder)
    for batch in batches:
        spill.put_batch(batch)
    return spill.table()


def gathered(parts: Iterable[pa.Table], *, in_memory: int, folder: str | Path | None) -> pa.Table:
    """The parts, of which there is at least one, as one table; on disk when they take more than ``in_memory`` bytes."""
    waiting: list[pa.Table] = []
    spill: Spill | None = None
    held = 0
    for part in parts:
        waiting.append(part)
        held += part.nbytes
        del part
        if spill is not None or held > in_memory:
            spill = spill or Spill(waiting[0].schema, folder=folder)
            while waiting:
                spill.put(waiting.pop(0))
    if spill is not None:
        return spill.table()
    return pa.concat_tables([part for part in waiting if part.num_rows] or waiting[:1])

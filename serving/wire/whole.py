"""Answers whose length is known before their first byte is sent (pure: no Django).

A server that is told no length ends an answer that broke off as if it were whole, or resets the connection: it depends
on the server. Against a length that was promised, every client notices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Protocol

import pyarrow as pa

from serving.wire.outgoing import arrow_batches, arrow_stream

# Larger answers wait in a file, which has no name and so leaves nothing behind.
_IN_MEMORY = 16 * 1024**2
_BLOCK = 1024**2


class WholeAnswer(Protocol):
    """``length`` bytes, in pieces; ``close`` when they are sent or nobody wants them any more."""

    length: int

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class MeasuredArrow:
    """The Arrow stream of a table that is there already: measured without being written."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        counted = pa.MockOutputStream()
        with pa.ipc.new_stream(counted, table.schema) as writer:
            for batch in arrow_batches(table):
                writer.write_batch(batch)
        self.length = counted.size()

    def __iter__(self) -> Iterator[bytes]:
        return arrow_stream([self._table])

    def close(self) -> None:
        """There is nothing to give back."""


class Spool:
    """Pieces that were made one after the other and wait to be sent, in memory or in a file of ``folder``."""

    def __init__(self, pieces: Iterable[bytes], *, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder))  # noqa: SIM115  # closed by close()
        try:
            self.length = sum(self._file.write(piece) for piece in pieces)
            self._file.seek(0)
        except BaseException:
            self._file.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(_BLOCK):
            yield block

    def close(self) -> None:
        self._file.close()

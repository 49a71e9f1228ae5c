"""The value rows of a few entity keys, read without reading the rest of the table.

Row groups are the least that Arrow reads of a file; the reader of the Delta library goes down to pages, whose bounds
the files carry. Since rows are sorted by key, that is a few thousand rows per key and file, however large these are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.dataset as pads
from deltalake import DeltaTable, QueryBuilder

# Beyond so many keys most row groups hold one, and reading them whole is no more work.
MOST_KEYS = 100
# Pages are few: handing them to several threads costs more than reading them.
_SESSION = {"datafusion.execution.target_partitions": "1"}
# They come in batches of a few rows, each of which would be searched by itself.
_BATCH_ROWS = 64 * 1024
_BATCH_BYTES = 16 * 1024 * 1024


class KeyedRows:
    """The rows of ``keys`` in a table, for :class:`serving.point_in_time.request.RowSource`."""

    def __init__(self, table: DeltaTable, keys: Sequence[str], *, batch_bytes: int = _BATCH_BYTES) -> None:
        """``batch_bytes`` is about the most that a batch takes."""
        self._table = table
        self._keys = keys
        self._batch_bytes = min(batch_bytes, _BATCH_BYTES)
        self.schema = pa.schema(table.schema().to_arrow())

    def to_batches(
        self,
        *,
        columns: list[str],
        filter: pads.Expression | None,  # noqa: ARG002  # as Arrow's datasets name it; the keys say enough
    ) -> Iterable[pa.RecordBatch]:
        """Batches of the named columns, with the types that the table declares."""
        return self._batches(columns) if self._keys else iter(())

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([self.schema.field(name) for name in columns])
        names = ", ".join(_quoted(name, '"') for name in columns)
        keys = ", ".join(_quoted(key, "'") for key in self._keys)
        query = f"SELECT {names} FROM history WHERE entity_key IN ({keys})"  # every part is quoted
        reader = QueryBuilder(_SESSION).register("history", self._table).execute(query)
        found: list[pa.RecordBatch] = []
        rows = size = 0
        for batch in pa.RecordBatchReader.from_stream(reader):
            found.append(batch.cast(schema))
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows >= _BATCH_ROWS or size >= self._batch_bytes:
                yield pa.concat_batches(found)
                found, rows, size = [], 0, 0
        if found:
            yield pa.concat_batches(found)


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote

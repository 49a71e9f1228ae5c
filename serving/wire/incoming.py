"""Arrow and Parquet bodies, read with distrust (pure: no Django)."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidInput, TooLarge
from serving.wire.arrow_messages import read_claims
from serving.wire.parquet_pages import read_pages
from serving.wire.unpacked import MAX_TABLE_BYTES, Budget, unpacked_bytes

_PARQUET_ROWS = 16 * 1024
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 8}


def read_arrow_stream(body: bytes | memoryview, *, most_unpacked: int = MAX_TABLE_BYTES) -> Iterator[pa.Table]:
    """The table of an Arrow IPC stream, in parts, of which the first has no rows.

    :raises InvalidInput: when it is none, or is damaged.
    :raises TooLarge: when it has more rows, or unpacks to more bytes, than :mod:`serving.wire.unpacked` allows, or one
        compressed batch of it unpacks to more than ``most_unpacked``.
    """
    try:
        claimed = Budget()
        for claim in read_claims(body):
            claimed.charge_rows(claim.rows)
            claimed.charge_bytes(claim.bytes)
            if claim.compressed and claim.bytes > most_unpacked:
                raise TooLarge(
                    f"a batch of the body unpacks to {claim.bytes} bytes at once and {most_unpacked} are taken; send "
                    "batches of fewer rows, or do not compress them",
                    details={"bytes": claim.bytes, "limit": most_unpacked},
                )
        held, unpacked = Budget(), Budget()
        with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
            yield reader.schema.empty_table()
            for batch in reader:
                batch.validate(full=True)
                held.charge_bytes(batch.nbytes)
                for column in batch.columns:
                    unpacked.charge_bytes(unpacked_bytes(column))
                yield pa.Table.from_batches([batch])
                del batch
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidInput(f"the body is not a whole Arrow stream: {error}") from error


def read_parquet(body: bytes | memoryview) -> Iterator[pa.Table]:
    """The table of a Parquet file, in parts, of which the first has no rows.

    :raises InvalidInput: when it is none, or is damaged.
    :raises TooLarge: when it has more rows, or unpacks to more bytes, than :mod:`serving.wire.unpacked` allows.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
        shared = _check_pages(body, file)
        if shared:
            _check_shared_texts(body, shared)
        yield file.schema_arrow.empty_table()
        for batch in file.iter_batches(_PARQUET_ROWS):
            batch.validate(full=True)
            yield pa.Table.from_batches([batch])
            del batch
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidInput(f"the body is not a whole Parquet file: {error}") from error


def _check_pages(body: bytes | memoryview, file: pq.ParquetFile) -> list[tuple[int, str]]:
    """Charge all that lies in the pages; the row groups and columns whose texts stand in a dictionary."""
    pages_budget, values_budget = Budget(), Budget()
    pages_budget.charge_rows(file.metadata.num_rows)
    shared = []
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        values_budget.charge_rows(group.num_rows)
        for number in range(group.num_columns):
            column, declared = group.column(number), file.schema.column(number)
            pages = read_pages(body, column)
            pages_budget.charge_bytes(pages.bytes)
            values_budget.charge_bytes(pages.values * _WIDTHS.get(declared.physical_type, declared.length))
            if declared.physical_type != "BYTE_ARRAY":
                continue
            if pages.shares_beginnings:
                raise TooLarge(
                    f"the column {declared.path!r} is encoded as DELTA_BYTE_ARRAY, whose size nobody can tell before "
                    "it is unpacked; write it plain or with a dictionary",
                    details={"column": declared.path},
                )
            if pages.has_dictionary:
                shared.append((index, declared.path))
    return shared


def _check_shared_texts(body: bytes | memoryview, shared: list[tuple[int, str]]) -> None:
    """Charge the texts of dictionaries as often as they are used, before any is copied."""
    encoded = pq.ParquetFile(pa.BufferReader(body), read_dictionary=sorted({path for _, path in shared}))
    unpacked = Budget()
    for group, path in shared:
        for column in encoded.read_row_group(group, columns=[path], use_threads=False).columns:
            for chunk in column.chunks:
                chunk.validate(full=True)
                unpacked.charge_bytes(unpacked_bytes(chunk))

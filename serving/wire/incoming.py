"""Arrow and Parquet bodies, read with distrust (pure: no Django)."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidInput, TooLarge
from serving.wire.arrow_messages import read_claims
from serving.wire.parquet_pages import read_pages
from serving.wire.unpacked import Budget, unpacked_bytes

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 8}


def read_arrow_stream(body: bytes) -> pa.Table:
    """The table of an Arrow IPC stream.

    :raises InvalidInput: when it is none, or is damaged.
    :raises TooLarge: when it has more rows, or unpacks to more bytes, than :mod:`serving.wire.unpacked` allows.
    """
    try:
        claimed = Budget()
        for claim in read_claims(body):
            claimed.charge_rows(claim.rows)
            claimed.charge_bytes(claim.bytes)
        held, unpacked = Budget(), Budget()
        with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
            batches = []
            for batch in reader:
                batch.validate(full=True)
                held.charge_bytes(batch.nbytes)
                for column in batch.columns:
                    unpacked.charge_bytes(unpacked_bytes(column))
                batches.append(batch)
            return pa.Table.from_batches(batches, schema=reader.schema)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidInput(f"the body is not a whole Arrow stream: {error}") from error


def read_parquet(body: bytes) -> pa.Table:
    """The table of a Parquet file.

    :raises InvalidInput: when it is none, or is damaged.
    :raises TooLarge: when it has more rows, or unpacks to more bytes, than :mod:`serving.wire.unpacked` allows.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(body))
        shared = _check_pages(body, file)
        if shared:
            _check_shared_texts(body, shared)
        table = file.read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidInput(f"the body is not a whole Parquet file: {error}") from error
    return table


def _check_pages(body: bytes, file: pq.ParquetFile) -> list[tuple[int, str]]:
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


def _check_shared_texts(body: bytes, shared: list[tuple[int, str]]) -> None:
    """Charge the texts of dictionaries as often as they are used, before any is copied."""
    encoded = pq.ParquetFile(io.BytesIO(body), read_dictionary=sorted({path for _, path in shared}))
    unpacked = Budget()
    for group, path in shared:
        for column in encoded.read_row_group(group, columns=[path], use_threads=False).columns:
            for chunk in column.chunks:
                chunk.validate(full=True)
                unpacked.charge_bytes(unpacked_bytes(chunk))

"""Arrow and Parquet bodies, read with distrust (pure: no Django)."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import InvalidInput, TooLarge

MAX_TABLE_BYTES = 2 * 1024**3
_WAY_OUT = "send it in several requests"


def read_arrow_stream(body: bytes) -> pa.Table:
    """The table of an Arrow IPC stream.

    :raises InvalidInput: when it is none, or is damaged.
    :raises TooLarge: when it unpacks to more than :data:`MAX_TABLE_BYTES`.
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
            batches, size = [], 0
            for batch in reader:
                size += batch.nbytes
                _check_size(size)
                batches.append(batch)
            table = pa.Table.from_batches(batches, schema=reader.schema)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidInput(f"the body is not a whole Arrow stream: {error}") from error
    return table


def read_parquet(body: bytes) -> pa.Table:
    """The table of a Parquet file.

    :raises InvalidInput: when it is none, or is damaged.
    :raises TooLarge: when it unpacks to more than :data:`MAX_TABLE_BYTES`.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(body))
        groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
        _check_size(sum(group.total_byte_size for group in groups))
        table = file.read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidInput(f"the body is not a whole Parquet file: {error}") from error
    return table


def _check_size(size: int) -> None:
    if size > MAX_TABLE_BYTES:
        raise TooLarge(
            f"the body unpacks to {size} bytes and one request takes {MAX_TABLE_BYTES}; {_WAY_OUT}",
            details={"bytes": size, "limit": MAX_TABLE_BYTES},
        )

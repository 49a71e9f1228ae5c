"""Reading Parquet files in pieces of a row group, where whole row groups take more memory than there is.

A scan of Arrow holds several whole row groups at a time. Here a piece is at most so many bytes, or a few rows where
single rows are larger, whatever the row groups are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

# What a scan of a dataset has in hand at a time: row groups of so many files, of each so many.
_FILES_IN_HAND = 4
_GROUPS_IN_HAND = 2
_MOST_ROWS = 64 * 1024
# Rows that are decoded at a time: as few while it is not known how wide they are, at most as many as this later.
_FIRST_ROWS = 512
_STEP_ROWS = 16 * 1024
_STEPS_PER_PIECE = 4
READ_BYTES = 64 * 1024


def fits(dataset: ds.FileSystemDataset, room: int) -> bool:
    """Whether a scan of the dataset stays within ``room`` bytes, as far as its row groups tell."""
    parts = [[group.total_byte_size for group in part.row_groups] for part in dataset.get_fragments()]
    largest = max((size for sizes in parts for size in sizes), default=0)
    return largest * _GROUPS_IN_HAND * min(len(parts), _FILES_IN_HAND) <= room


def rows_at_once(fragment: ds.ParquetFileFragment, columns: Sequence[str], room: int, *, most: int) -> int:
    """How many rows of the columns can be decoded at a time in ``room`` bytes, up to ``most``."""
    schema, groups = fragment.physical_schema, fragment.row_groups
    fixed = [8 for name in columns if name in schema.names and pa.types.is_primitive(schema.field(name).type)]
    if len(fixed) == len(columns):
        return max(1, min(most, room // sum(fixed)))
    width = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1.0)
    # A dictionary hides how wide its texts are.
    return max(1, min(_FIRST_ROWS, int(room / max(width, 1))))


def read_in_pieces(dataset: ds.FileSystemDataset, columns: Sequence[str], *, room: int) -> Iterator[pa.RecordBatch]:
    """The rows of the dataset in their order, in batches of about ``room`` bytes at most."""
    schema = pa.schema([dataset.schema.field(name) for name in columns])
    width = 0.0
    for part in dataset.get_fragments():
        waiting: list[pa.RecordBatch] = []
        held = rows = 0
        for step in _steps(part, dataset.format, schema, room, width):
            width = max(width, step.nbytes / step.num_rows)
            if waiting and (held + step.nbytes > room or rows + step.num_rows > _MOST_ROWS):
                yield _joined(waiting)
                waiting, held, rows = [], 0, 0
            waiting.append(step)
            held, rows = held + step.nbytes, rows + step.num_rows
            del step
        if waiting:
            yield _joined(waiting)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _steps(
    part: ds.ParquetFileFragment, form: ds.ParquetFileFormat, schema: pa.Schema, room: int, width: float
) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(
        part.open(),
        metadata=part.metadata,
        read_dictionary=list(form.read_options.dictionary_columns),
        buffer_size=READ_BYTES,
        pre_buffer=False,
    ) as file:
        stored = set(file.schema_arrow.names)
        # The values of a partition stand in the name of its folder only.
        elsewhere = ds.get_partition_keys(part.partition_expression)
        here = [name for name in schema.names if name in stored]
        for group in part.row_groups:
            known = max(width, group.total_byte_size / max(group.num_rows, 1))
            fitting = int(room / _STEPS_PER_PIECE / max(known, 1))
            size = max(1, min(_STEP_ROWS if width else _FIRST_ROWS, fitting))
            for batch in file.iter_batches(size, row_groups=[group.id], columns=here):
                width = max(width, batch.nbytes / max(batch.num_rows, 1))
                if batch.num_rows:
                    yield _as_declared(batch, schema, stored, elsewhere)


def _as_declared(
    batch: pa.RecordBatch, schema: pa.Schema, stored: set[str], elsewhere: dict[str, Any]
) -> pa.RecordBatch:
    """The batch with the columns and types of the dataset; what its file lacks is null."""
    columns: list[pa.Array[Any]] = []
    for field in schema:
        if field.name in stored:
            column = batch.column(field.name)
            columns.append(column if column.type == field.type else column.cast(field.type))
        elif field.name in elsewhere:
            columns.append(pa.repeat(pa.scalar(elsewhere[field.name]).cast(field.type), batch.num_rows))
        else:
            columns.append(pa.nulls(batch.num_rows, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)

"""How value rows lie in the files of the offline store, so that reading them is little work.

Rows are sorted by entity key and rank: those of one key lie together, statistics tell which row groups a key or a
time can be in, and the join finds the newest row by halving. Numbers and times are stored plain or as differences:
they repeat too seldom for a dictionary, which costs more to read than it saves. Snappy is read by every engine.
Where rows are wide, row groups have fewer of them: engines read and hold these whole.
"""

from __future__ import annotations

import pyarrow as pa
from deltalake import ColumnProperties, WriterProperties

ROW_GROUP_ROWS = 128 * 1024
ROW_GROUP_BYTES = 64 * 1024 * 1024
# A read of a few keys reads the pages that these are in.
PAGE_ROWS = 4 * 1024
FILE_BYTES = 256 * 1024 * 1024

ORDER = ("entity_key", "event_timestamp", "created_timestamp", "arrival")
_PLAIN = ColumnProperties(dictionary_enabled=False)
_DIFFERENCES = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED")


def in_order(rows: pa.Table) -> pa.Table:
    """The rows sorted by entity key, event, created and arrival; an unknown created or arrival comes first."""
    return rows.sort_by([(name, "ascending", "at_start") for name in ORDER])


def row_group_rows(sample: pa.Table, *, most: int = ROW_GROUP_ROWS) -> int:
    """How many rows such as those of ``sample`` make a row group: ``most``, or what fits :data:`ROW_GROUP_BYTES`."""
    fitting = ROW_GROUP_BYTES * sample.num_rows // max(sample.nbytes, 1)
    return min(most, max(fitting, PAGE_ROWS)) if sample.num_rows else most


def writer_properties(schema: pa.Schema, *, row_group: int = ROW_GROUP_ROWS) -> WriterProperties:
    """The properties of files with these columns and ``row_group`` rows in a row group."""
    columns = {field.name: found for field in schema if (found := _properties(field.type)) is not None}
    return WriterProperties(
        compression="SNAPPY",
        max_row_group_size=row_group,
        data_page_row_count_limit=PAGE_ROWS,
        column_properties=columns,
    )


def _properties(kind: pa.DataType) -> ColumnProperties | None:
    if pa.types.is_floating(kind):
        return _PLAIN
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind):
        return _DIFFERENCES
    return None

"""Compaction: many small commits of a history become few sorted files.

It is one commit that replaces the files and changes no row. Readers keep the version that they have opened; versions
that something pins stay readable. What others append at the same time stays beside the new files: only the files that
were read are replaced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import CommitProperties, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError

from catalog.models import FeatureGroup
from serving import spilling
from serving.stores.layout import FILE_BYTES, ORDER, PAGE_ROWS, ROW_GROUP_ROWS, row_group_rows, writer_properties
from serving.stores.offline import EPOCH, History, LeaseLost, open_history

# Below this many files a history is read as quickly as it can be.
WORTHWHILE_FILES = 8
OLD_FILES_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Compacted:
    """``table_version`` is the version after it; ``deleted`` files of versions that nobody can ask for are gone."""

    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    table_version: int
    deleted: int


def is_worthwhile(history: History) -> bool:
    """Whether compacting would make reading noticeably less work."""
    needed = max(1, history.bytes // FILE_BYTES)
    return len(history.files) >= needed + WORTHWHILE_FILES


def compact_history(
    group: FeatureGroup,
    *,
    epoch: int,
    pinned_versions: Collection[int],
    memory_limit: str,
    spill_folder: Path,
) -> Compacted | None:
    """Rewrite the group's history as sorted files; None when it has none.

    Rows are sorted within ``memory_limit`` and spill to ``spill_folder`` beyond it. Files that only versions older
    than :data:`OLD_FILES_KEPT` use, or none, are deleted, except those of ``pinned_versions``.

    :raises LeaseLost: when another run with a later lease has written since, or deletes the same files now.
    """
    history = open_history(group)
    if history is None:
        return None
    if (history.table.transaction_version(EPOCH) or 0) > epoch:
        raise LeaseLost(f"another run of {group.name} has written since this one began")
    # Looked at now, as the table object moves on with what it writes.
    files_before, bytes_before = len(history.files), history.bytes
    with spilling.spill_folder(spill_folder, work="compaction") as folder:
        _rewrite(group, history, epoch=epoch, memory_limit=memory_limit, folder=folder)
    after = open_history(group)
    assert after is not None
    kept = [version for version in pinned_versions if version <= after.version]
    deleted = after.table.vacuum(
        retention_hours=int(OLD_FILES_KEPT.total_seconds() // 3600),
        dry_run=False,
        enforce_retention_duration=False,
        full=True,  # also what no version ever had: the files of those who were killed before their commit
        keep_versions=kept or None,
    )
    return Compacted(
        files_before=files_before,
        files_after=len(after.files),
        bytes_before=bytes_before,
        bytes_after=after.bytes,
        table_version=after.version,
        deleted=len(deleted),
    )


def _rewrite(group: FeatureGroup, history: History, *, epoch: int, memory_limit: str, folder: str) -> None:
    row_group = row_group_rows(history.dataset.head(PAGE_ROWS), most=ROW_GROUP_ROWS)
    order = ", ".join(f"{name} ASC NULLS FIRST" for name in ORDER)
    with duckdb.connect(config={"memory_limit": memory_limit, "temp_directory": folder}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("history", history.dataset.scanner().to_reader())
        rows = connection.sql(f"SELECT * FROM history ORDER BY {order}").to_arrow_reader(row_group)
        schema = history.dataset.schema
        sorted_rows = pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in rows))
        try:
            write_deltalake(
                history.table,
                sorted_rows,
                mode="overwrite",
                target_file_size=FILE_BYTES,
                writer_properties=writer_properties(schema, row_group=row_group),
                commit_properties=CommitProperties(
                    custom_metadata={"featurestore_compaction": str(epoch)},
                    app_transactions=[Transaction(EPOCH, epoch)],
                ),
            )
        except CommitFailedError as error:
            raise LeaseLost(f"another writer of {group.name} has changed the files that were compacted") from error

"""The offline store: one append-only Delta Lake table per feature group."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.fs as pafs
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from django.conf import settings

from catalog.errors import Conflict
from catalog.models import FeatureGroup
from serving.stores.layout import (
    FILE_BYTES,
    ROW_GROUP_BYTES,
    ROW_GROUP_ROWS,
    in_order,
    row_group_rows,
    writer_properties,
)

KEY_COLUMNS = pa.schema(
    [
        pa.field("entity_key", pa.string()),
        pa.field("event_timestamp", pa.timestamp("us", tz="UTC")),
        pa.field("created_timestamp", pa.timestamp("us", tz="UTC")),
        pa.field("run_id", pa.string()),
        pa.field("arrival", pa.int64()),
    ]
)

# The application transaction whose version is the lease's epoch: a writer that lost its lease cannot commit.
EPOCH = "featurestore-epoch"
# Otherwise commits older than a month are deleted at every checkpoint, and versions that are pinned with them.
_KEEPS_VERSIONS = {"delta.enableExpiredLogCleanup": "false"}


@dataclass(frozen=True)
class HistoryFile:
    """One data file of a table version; ``rows`` is None where its writer kept no statistics."""

    path: str
    rows: int | None
    bytes: int


@dataclass(frozen=True)
class History:
    """A group's table as of one version; its files are looked at when they are asked for."""

    table: DeltaTable
    version: int

    @cached_property
    def dataset(self) -> pads.Dataset:
        return self.table.to_pyarrow_dataset(filesystem=filesystem_of(self.table.table_uri))

    @cached_property
    def keyed_dataset(self) -> pads.Dataset:
        """The same rows with their entity keys as the dictionaries that the files hold, which a join reads fastest."""
        dataset = self.table.to_pyarrow_dataset(
            filesystem=filesystem_of(self.table.table_uri),
            parquet_read_options=pads.ParquetReadOptions(dictionary_columns=["entity_key"]),
        )
        if _is_local(self.table.table_uri):
            # Reading a whole file's columns ahead saves round trips to a distant store; here it only costs memory.
            dataset.format.default_fragment_scan_options = pads.ParquetFragmentScanOptions(pre_buffer=False)
        return dataset

    @cached_property
    def files(self) -> tuple[HistoryFile, ...]:
        actions = pa.table(self.table.get_add_actions(flatten=True))
        counts = actions["num_records"].to_pylist() if "num_records" in actions.column_names else [None] * len(actions)
        return tuple(
            HistoryFile(path=path, rows=count, bytes=size or 0)
            for path, count, size in zip(
                actions["path"].to_pylist(), counts, actions["size_bytes"].to_pylist(), strict=True
            )
        )

    def row_group_bytes(self, *, enough: int) -> int:
        """About how many bytes its largest row group has; 0 where ``enough`` is more than this store writes."""
        if enough >= ROW_GROUP_BYTES:
            return 0
        widths = [(file.bytes / file.rows, file.rows) for file in self.files if file.rows]
        return int(max((width * min(rows, ROW_GROUP_ROWS) for width, rows in widths), default=0))

    @property
    def rows(self) -> int:
        if any(file.rows is None for file in self.files):
            return int(self.dataset.count_rows())
        return sum(file.rows or 0 for file in self.files)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    def only(self, paths: Sequence[str]) -> pads.Dataset:
        """The rows of the files named, with the table's whole schema."""
        wanted = set(paths)
        fragments = [fragment for fragment in self.dataset.get_fragments() if fragment.path in wanted]
        return pads.FileSystemDataset(
            fragments, self.dataset.schema, pads.ParquetFileFormat(), filesystem=filesystem_of(self.table.table_uri)
        )


class LeaseLost(Conflict):
    """Another run has taken over the group since this one began."""

    code = "lease_lost"


def history_location(group: FeatureGroup) -> str:
    """Where the group's table lies: a folder, or an address in object storage."""
    base = str(settings.FEATURESTORE.offline_path)
    return f"{base.rstrip('/')}/{group.name}"


def open_history(group: FeatureGroup, *, version: int | None = None) -> History | None:
    """The group's history, newest or as of ``version``; None when nothing was ever ingested.

    :raises Conflict: when that version is no longer, or not yet, there.
    """
    location = history_location(group)
    try:
        table = DeltaTable(location, version=version)
    except DeltaError as error:
        # Mostly it is there, so it is opened at once and looked for only when that fails.
        if not DeltaTable.is_deltatable(location):
            return None
        raise Conflict(
            f"the history of {group.name} has no version {version} any more, or not yet",
            details={"group": group.name, "table_version": version},
        ) from error
    return History(table=table, version=table.version())


def filesystem_of(location: str) -> pafs.FileSystem:
    """The folder at a table's address."""
    # deltalake's own file system calls back into Python from Arrow's threads, which aborts the interpreter
    # when it exits; Arrow's native ones do not.
    if not _is_local(location):
        filesystem, path = pafs.FileSystem.from_uri(location)
        return pafs.SubTreeFileSystem(path, filesystem)
    return pafs.SubTreeFileSystem(location.removeprefix("file://"), pafs.LocalFileSystem())


def _is_local(location: str) -> bool:
    return "://" not in location or location.startswith("file://")


def run_is_in_history(history: History | None, run_id: str) -> bool:
    """Whether the run has already made its commit."""
    return history is not None and history.table.transaction_version(_run_transaction(run_id)) is not None


def newest_created(history: History) -> datetime | None:
    """The greatest created timestamp in the history, or up to a millisecond more; None where there is none.

    It comes from the files' statistics where all of them have it.
    """
    if not history.files:
        return None
    actions = pa.table(history.table.get_add_actions(flatten=True))
    name = "max.created_timestamp"
    if name in actions.column_names and actions[name].null_count == 0:
        # Statistics are cut to milliseconds.
        return pc.max(actions[name]).as_py() + timedelta(microseconds=999)
    return pc.max(history.dataset.to_table(["created_timestamp"])["created_timestamp"]).as_py()


def epoch_of(history: History | None) -> int:
    """The epoch of the last lease under which this store wrote to the table."""
    return 0 if history is None else history.table.transaction_version(EPOCH) or 0


def append_history(
    *, group: FeatureGroup, rows: pa.Table, run_id: str, epoch: int, seen_epoch: int | None = None
) -> int:
    """Append ``rows`` in one commit and return the table's version; a second call of the same run adds nothing.

    ``rows`` has the columns of :data:`KEY_COLUMNS` and any value columns; columns that the table lacks are added
    to it. They are stored sorted by entity key and event timestamp, so that reading a key reads little.
    ``seen_epoch`` is that of the history from which the rows were chosen (see :func:`epoch_of`).

    :raises LeaseLost: when a run with a later lease has written, or any run since the rows were chosen.
    """
    table = _open_or_create(group, rows.schema)
    if table.transaction_version(_run_transaction(run_id)) is not None:
        return int(table.version())
    written = table.transaction_version(EPOCH) or 0
    if written >= epoch or (seen_epoch is not None and written != seen_epoch):
        raise LeaseLost(f"another run of {group.name} has written since this one began")
    ordered = in_order(rows)
    try:
        write_deltalake(
            table,
            ordered,
            mode="append",
            schema_mode="merge",
            target_file_size=FILE_BYTES,
            writer_properties=writer_properties(ordered.schema, row_group=row_group_rows(ordered)),
            commit_properties=CommitProperties(
                custom_metadata={"featurestore_run": run_id},
                app_transactions=[Transaction(_run_transaction(run_id), 1), Transaction(EPOCH, epoch)],
            ),
        )
    except CommitFailedError as error:
        raise LeaseLost(f"another run of {group.name} was writing at the same time") from error
    return int(table.version())


def _open_or_create(group: FeatureGroup, schema: pa.Schema) -> DeltaTable:
    location = history_location(group)
    if not DeltaTable.is_deltatable(location):
        if "://" not in location:
            Path(location).mkdir(parents=True, exist_ok=True)
        with suppress(CommitFailedError):  # another process has created it at this moment
            DeltaTable.create(location, schema=schema, mode="ignore", name=group.name, configuration=_KEEPS_VERSIONS)
    return DeltaTable(location)


def _run_transaction(run_id: str) -> str:
    return f"featurestore-run-{run_id}"

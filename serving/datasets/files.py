"""The files of training datasets, below the data folder: written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from catalog.errors import Conflict
from serving.engine_limits import gathered_within_limits, most_in_memory
from serving.wire.outgoing import parquet_file

ENTITY_ROWS = "entity_rows.parquet"
_READ_ROWS = 4_096
_READ_BYTES = 64 * 1024


def folder_of(dataset_id: UUID) -> Path:
    """Where the files of a dataset lie. Every process that builds or serves datasets needs to see it."""
    return Path(settings.FEATURESTORE.data_dir) / "datasets" / str(dataset_id)


def result_name(attempt: int) -> str:
    """The name of the result: of its own for every attempt, so that one given up for dead harms no other."""
    return f"data-{attempt}.parquet"


def write_table(path: Path, table: pa.Table) -> int:
    """Write the table as Parquet, in one step as others see it; how many bytes that are.

    :raises pyarrow.ArrowException, NotImplementedError: when a column has no form in Parquet.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with temporary.open("wb") as file:
            for piece in parquet_file([table]):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path.stat().st_size


def read_table(path: Path) -> pa.Table:
    """The table of a file of a dataset, which lies unpacked on disk when it is large.

    :raises Conflict: when the file is gone or damaged.
    """
    try:
        with pq.ParquetFile(path, buffer_size=_READ_BYTES, pre_buffer=False) as file:
            groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
            if sum(group.total_byte_size for group in groups) > most_in_memory():
                return gathered_within_limits(_parts(file))
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise Conflict(
            f"the file {path.name} of the training dataset cannot be read: {error}", details={"file": path.name}
        ) from error


def _parts(file: pq.ParquetFile) -> Iterator[pa.Table]:
    yield file.schema_arrow.empty_table()
    for batch in file.iter_batches(_READ_ROWS):
        yield pa.Table.from_batches([batch])


def remove_folder(dataset_id: UUID) -> None:
    """Remove all files of a dataset."""
    shutil.rmtree(folder_of(dataset_id), ignore_errors=True)


def remove_others(dataset_id: UUID, *, keep: Iterable[str]) -> None:
    """Remove what attempts that did not finish have left behind."""
    kept = set(keep)
    for path in folder_of(dataset_id).iterdir():
        if path.name not in kept:
            with suppress(OSError):
                path.unlink()

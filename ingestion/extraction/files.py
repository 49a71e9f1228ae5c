"""Reading CSV and Parquet files as tables: ``location`` is their folder, a table is a file without its ending.

A Parquet table may also be a folder of parts. ``location`` may be one file, whose only table is its name
(pure: no Django).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from ingestion.extraction.errors import SourceInvalid, SourceNotFound, hint
from ingestion.extraction.request import RawRows, SourceTable


class FileReader:
    """What CSV and Parquet folders share: which tables there are and where."""

    suffix: str

    def __init__(self, location: str) -> None:
        self.location = Path(location)

    def tables(self) -> list[str]:
        """The names of the tables."""
        if not self.location.exists():
            raise SourceNotFound(f"there is no folder {self.location}", details={"location": os.fspath(self.location)})
        if self.location.is_file():
            return [self.location.stem]
        return sorted({path.stem for path in self.location.iterdir() if path.suffix.lower() == self.suffix})

    def path_of(self, table: str) -> Path:
        """Where ``table`` is stored."""
        known = self.tables()
        if table not in known:
            raise SourceNotFound(
                f"{self.location} has no table {table}{hint(table, known, what='tables')}",
                details={"table": table, "tables": known},
            )
        if self.location.is_file():
            return self.location
        fitting = (path for path in sorted(self.location.iterdir()) if path.suffix.lower() == self.suffix)
        return next(path for path in fitting if path.stem == table)

    @contextmanager
    def reading(self, path: Path) -> Iterator[None]:
        """Turns what the readers of ``path`` say into errors of sources."""
        try:
            yield
        except FileNotFoundError as error:
            raise SourceNotFound(f"{path} went away while it was read", details={"location": str(path)}) from error
        except (OSError, ValueError, pa.ArrowException) as error:
            message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise SourceInvalid(f"{path} cannot be read: {message}", details={"location": str(path)}) from error


class CsvReader(FileReader):
    """CSV files with a header, in UTF-8. Every value is text until it is read as its declared type."""

    suffix = ".csv"

    def describe(self, table: str) -> SourceTable:
        """The columns and the number of rows of ``table``."""
        path = self.path_of(table)
        columns = self._columns(path)
        with self.reading(path), pd.read_csv(path, chunksize=100_000, dtype=object, encoding="utf-8-sig") as chunks:
            count = sum(len(chunk) for chunk in chunks)
        return SourceTable(name=table, columns=dict.fromkeys(columns, "text"), row_count=count)

    @contextmanager
    def opened(self, table: str) -> Iterator[CsvTable]:
        """``table``, ready to be read."""
        yield CsvTable(self, self.path_of(table), self.describe(table))

    def _columns(self, path: Path) -> list[str]:
        with self.reading(path):
            header = pd.read_csv(path, header=None, nrows=1, dtype=object, keep_default_na=False, encoding="utf-8-sig")
        names = [str(name) for name in header.iloc[0]]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SourceInvalid(f"{path} has the column {', '.join(twice)} twice", details={"columns": names})
        return names


class CsvTable:
    """One CSV file."""

    def __init__(self, reader: CsvReader, path: Path, description: SourceTable) -> None:
        self._reader = reader
        self._path = path
        self.description = description

    def batches(
        self,
        columns: Sequence[str],
        rows: int,
        *,
        not_before: tuple[str, datetime] | None = None,  # noqa: ARG002
    ) -> Iterator[RawRows]:
        """Batches of up to ``rows`` rows in the order of the file; ``not_before`` is left to the caller."""
        with self._reader.reading(self._path):
            chunks = pd.read_csv(
                self._path,
                usecols=list(columns),
                dtype=object,
                keep_default_na=False,
                na_filter=False,
                chunksize=rows,
                encoding="utf-8-sig",
            )
        with chunks:
            while True:
                with self._reader.reading(self._path):
                    frame = next(chunks, None)
                if frame is None:
                    return
                if len(frame):
                    yield {name: np.asarray(frame[name], dtype=object) for name in columns}


class ParquetReader(FileReader):
    """Parquet files, or folders of Parquet parts."""

    suffix = ".parquet"

    def tables(self) -> list[str]:
        """The names of the tables."""
        files = super().tables()
        if self.location.is_file():
            return files
        folders = {item.name for item in self.location.iterdir() if item.is_dir() and any(item.glob("*.parquet"))}
        return sorted({*files, *folders})

    def path_of(self, table: str) -> Path:
        """Where ``table`` is stored: a file, or a folder of parts."""
        if table in self.tables() and (self.location / table).is_dir():
            return self.location / table
        return super().path_of(table)

    def describe(self, table: str) -> SourceTable:
        """The columns and the number of rows of ``table``."""
        with self.opened(table) as opened:
            return opened.description

    @contextmanager
    def opened(self, table: str) -> Iterator[ParquetTable]:
        """``table``, ready to be read."""
        path = self.path_of(table)
        with self.reading(path):
            files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
            dataset = ds.dataset([os.fspath(file) for file in files], format="parquet")
            columns = {field.name: str(field.type) for field in dataset.schema}
            description = SourceTable(name=table, columns=columns, row_count=dataset.count_rows())
        yield ParquetTable(self, path, dataset, description)


class ParquetTable:
    """One Parquet table."""

    def __init__(self, reader: ParquetReader, path: Path, dataset: ds.Dataset, description: SourceTable) -> None:
        self._reader = reader
        self._path = path
        self._dataset = dataset
        self.description = description

    def batches(
        self,
        columns: Sequence[str],
        rows: int,
        *,
        not_before: tuple[str, datetime] | None = None,  # noqa: ARG002
    ) -> Iterator[RawRows]:
        """Batches of up to ``rows`` rows in the order of the files; ``not_before`` is left to the caller."""
        batches = iter(self._dataset.to_batches(columns=list(columns), batch_size=rows))
        while True:
            with self._reader.reading(self._path):
                batch = next(batches, None)
            if batch is None:
                return
            if batch.num_rows:
                yield {name: batch.column(name) for name in columns}

"""Feast's materialization into its SQLite online store, run by the interpreter of Feast's environment.

``python -m benchmarks.feast_materializing FOLDER``: the flat files of the folder, with Feast's default offline store.
"""

from __future__ import annotations

import os
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.feast_online_side import write_repository_file
from benchmarks.feast_side import feature_store
from benchmarks.materialized import materialize_when_told


def main() -> None:
    os.environ["FEAST_USAGE"] = "False"
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    files = sorted(folder.glob("group_*.parquet"))
    store = feature_store(folder, range(len(files)), offline_store="file")
    write_repository_file(folder)

    def work() -> int:
        store.materialize(start_date=datetime(2000, 1, 1, tzinfo=UTC), end_date=datetime(2100, 1, 1, tzinfo=UTC))
        return sum(pq.read_metadata(file).num_rows for file in files)

    materialize_when_told(work)


if __name__ == "__main__":
    main()

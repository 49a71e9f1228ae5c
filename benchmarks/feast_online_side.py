"""Makes a Feast repository with a filled online store, to be served by ``feast serve``.

``python -m benchmarks.feast_online_side FOLDER``, run by the interpreter of Feast's environment.
"""

from __future__ import annotations

import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.feast_environment import REPOSITORY
from benchmarks.feast_side import feature_store

_CONFIGURATION = """\
project: benchmark
provider: local
registry: registry.db
online_store:
  type: sqlite
  path: online.db
offline_store:
  type: file
entity_key_serialization_version: 3
"""


def main() -> None:
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    groups = range(len(list(folder.glob("group_*.parquet"))))
    store = feature_store(folder, groups, offline_store="file")
    store.materialize(start_date=datetime(2000, 1, 1, tzinfo=UTC), end_date=datetime(2100, 1, 1, tzinfo=UTC))
    write_repository_file(folder)


def write_repository_file(folder: Path) -> None:
    """What ``feast serve`` reads the repository from."""
    (folder / REPOSITORY / "feature_store.yaml").write_text(_CONFIGURATION)


if __name__ == "__main__":
    main()

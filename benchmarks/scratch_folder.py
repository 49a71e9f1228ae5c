"""Where a run keeps its data: the folder named, or one that is removed with the run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder_of_run(named: Path | None) -> Iterator[Path]:
    """``named``, made and kept, or a temporary folder."""
    if named is not None:
        named.mkdir(parents=True, exist_ok=True)
        yield named.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="featurestore-benchmark-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)

"""Folders for what does not fit into memory, which do not outlive the process that they belong to (pure: no Django)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from serving.processes import is_dead, this_process

_BETWEEN = "@"


@contextmanager
def spill_folder(parent: str | Path | None, *, work: str) -> Iterator[str]:
    """A folder of its own below ``parent``, or the system's temporary one, gone at the end.

    What processes that were killed have left below ``parent`` is removed before.
    """
    if parent is not None:
        Path(parent).mkdir(parents=True, exist_ok=True)
        _remove_left_behind(Path(parent))
    prefix = _BETWEEN.join((work, this_process(), ""))
    with TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as folder:
        yield folder


def _remove_left_behind(parent: Path) -> None:
    for path in parent.glob(f"*{_BETWEEN}*{_BETWEEN}*"):
        if is_dead(path.name.split(_BETWEEN)[1]):
            shutil.rmtree(path, ignore_errors=True)

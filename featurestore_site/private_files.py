"""Files and folders that only the store's own user may read (pure: no Django).

What exists keeps the mode that somebody gave it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Make the folder with mode 0700, its parents as usual, where there is none.

    :raises OSError: when it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def make_private_file(file: Path) -> None:
    """Make an empty file with mode 0600 where there is none; SQLite gives what it puts beside it the same mode.

    :raises OSError: when it cannot be made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

"""The message broker that needs no server: files in the data folder."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from featurestore_site.configuration import Configuration

_QUEUES, _PROCESSED, _CONTROL = "queues", "processed", "control"


def transport_options(configuration: Configuration) -> dict[str, Any]:
    """Options of kombu's ``filesystem://`` transport; none for a broker that is a server."""
    if not configuration.broker_url.startswith("filesystem:"):
        return {}
    folder = configuration.broker_dir
    return {
        "data_folder_in": str(folder / _QUEUES),
        "data_folder_out": str(folder / _QUEUES),
        # A worker takes a message by moving its file. Within one file system that is atomic; the default
        # is the system's temporary folder, where two workers could take the same message.
        "store_processed": True,
        "processed_folder": str(folder / _PROCESSED),
        "control_folder": str(folder / _CONTROL),
    }


def make_broker_folders(configuration: Configuration) -> None:
    """Make the folders of the file broker, which kombu expects to exist; again is harmless."""
    for name in (_QUEUES, _PROCESSED, _CONTROL):
        (configuration.broker_dir / name).mkdir(parents=True, exist_ok=True)


def delete_processed_messages(configuration: Configuration, *, older_than: timedelta) -> int:
    """Delete the files of messages that were taken longer ago than ``older_than``; returns how many."""
    folder = Path(configuration.broker_dir / _PROCESSED)
    if not folder.is_dir():
        return 0
    deleted = 0
    limit = time.time() - older_than.total_seconds()
    for file in folder.iterdir():
        try:
            if file.stat().st_mtime < limit:
                file.unlink()
                deleted += 1
        except FileNotFoundError:
            continue  # Another process was faster.
    return deleted

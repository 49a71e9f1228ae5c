"""The access log: one JSON line for every read of values, written before the answer goes out.

A line is one ``write`` to a file of its own per process and day, so that neither a lock nor the database stands
in the way of a read. Lines name features and count entities; they hold no entity key and no value, so erasing an
entity leaves nothing of it here. :mod:`serving.usage` folds the lines into counts.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import orjson
from django.conf import settings


class ReadKind(StrEnum):
    ONLINE = "online"
    HISTORICAL = "historical"


@dataclass(frozen=True)
class AccessRecord:
    """One read: who asked, with which token, for what, and how it went.

    ``feature_keys`` are the primary keys of the features, in the order of ``feature_ids``; ``milliseconds`` count
    from the request's arrival until its answer is ready to be sent.
    """

    at: datetime
    caller: str
    token: str
    kind: ReadKind
    feature_ids: tuple[str, ...]
    feature_keys: tuple[int, ...]
    entities: int
    milliseconds: float
    status: int
    request_id: str

    def line(self) -> bytes:
        return orjson.dumps(
            {
                "at": self.at,
                "caller": self.caller,
                "token": self.token,
                "kind": self.kind.value,
                "features": self.feature_ids,
                "feature_keys": self.feature_keys,
                "entities": self.entities,
                "ms": round(self.milliseconds, 3),
                "status": self.status,
                "request_id": self.request_id,
            },
            option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z,
        )


def access_folder() -> Path:
    """Where the log files lie."""
    return Path(settings.FEATURESTORE.output.logs_dir) / "access"


def write_access_record(record: AccessRecord) -> None:
    """Append the record to this process's file of the day.

    :raises OSError: when it cannot be written; a read that leaves no record must not be answered.
    """
    path = access_folder() / f"access-{record.at:%Y-%m-%d}-{os.getpid()}.jsonl"
    line = record.line()
    # Threads share the file, and closing it under another one's feet would write into whatever opens next.
    with _lock:
        written = os.write(_file.descriptor(path), line)
    if written != len(line):
        raise OSError(f"only {written} of {len(line)} bytes went into {path}")


class _OpenFile:
    """The file that this process appends to.

    It is opened again when its name changes, with the day or after a fork, and when somebody has removed it.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._descriptor = -1

    def descriptor(self, path: Path) -> int:
        if path != self._path or os.fstat(self._descriptor).st_nlink == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            if self._path is not None:
                os.close(self._descriptor)
            self._path, self._descriptor = path, opened
        return self._descriptor


_lock = threading.Lock()
_file = _OpenFile()

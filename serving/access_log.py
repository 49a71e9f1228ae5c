"""The access log: one JSON line for every read of values, written before the answer goes out.

A line is one ``write`` to a file of its own per process and day, so that neither a lock nor the database stands
in the way of a read. Lines name features and count entities; they hold no entity key and no value, so erasing an
entity leaves nothing of it here. :mod:`serving.usage` folds the lines into counts.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import orjson
from django.conf import settings

from catalog.references import ResolvedFeature


class ReadKind(StrEnum):
    ONLINE = "online"
    HISTORICAL = "historical"


class ReadFeatures(NamedTuple):
    """The features of a read, as the log names them: feature ids, and the primary keys of the features."""

    ids: tuple[str, ...] = ()
    keys: tuple[int, ...] = ()

    @classmethod
    def of(cls, resolved: Iterable[ResolvedFeature]) -> ReadFeatures:
        versions = [item.version for item in resolved]
        return cls(
            ids=tuple(version.public_id for version in versions),
            keys=tuple(version.feature_id for version in versions),
        )


class AccessRecord(NamedTuple):
    """One read: who asked, with which token, for what, and how it went.

    ``feature_keys`` are the primary keys of the features, in the order of ``feature_ids``; ``milliseconds`` count
    from the request's arrival until its answer is ready to be sent. ``purpose`` is what an entity was looked up for.
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
    purpose: str = ""

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
                **({"purpose": self.purpose} if self.purpose else {}),
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
    line = record.line()
    written = os.write(_file.descriptor(record.at.date()), line)
    if written != len(line):
        raise OSError(f"only {written} of {len(line)} bytes went into the access log")


class _OpenFile:
    """The file that this process appends to.

    It is opened again when its place changes, with the day or after a fork, and when somebody has removed it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._place: tuple[Path, date, int] | None = None
        self._descriptor = -1

    def descriptor(self, day: date) -> int:
        place = (settings.FEATURESTORE.output.logs_dir, day, os.getpid())
        if self._is_elsewhere(place):
            with self._lock:
                if self._is_elsewhere(place):
                    self._open(place)
        return self._descriptor

    def _is_elsewhere(self, place: tuple[Path, date, int]) -> bool:
        return place != self._place or os.fstat(self._descriptor).st_nlink == 0

    def _open(self, place: tuple[Path, date, int]) -> None:
        _, day, process = place
        path = access_folder() / f"access-{day:%Y-%m-%d}-{process}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        if self._descriptor < 0:
            self._descriptor = opened
        else:
            # Threads write without waiting for each other, so the descriptor stays and gets another file behind it:
            # closed under their feet, it would be that of whatever opens next.
            os.dup2(opened, self._descriptor, inheritable=False)
            os.close(opened)
        self._place = place


_file = _OpenFile()

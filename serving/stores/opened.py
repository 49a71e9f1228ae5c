"""Histories that stay opened from one read to the next, and what is kept of their files.

A table that was opened is of one version for ever. Whether that is still the newest, the table's log tells without
being read: the entry of the version is there as it was, and there is none of the next version.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import pyarrow.fs as pafs
from django.conf import settings

from catalog.models import FeatureGroup
from catalog.sizes import parse_size
from serving.engine_limits import memory_limit
from serving.point_in_time import History as RowHistory
from serving.point_in_time import KeptFiles, KeptRuns
from serving.stores.offline import History, filesystem_of, history_location, open_history

# What is kept takes no more than this part of what one retrieval may use.
_INDEX_SHARE = 8


@dataclass(frozen=True)
class _Opened:
    """``entry`` is the log's entry of the version, as it was found when the table was opened."""

    history: History
    filesystem: pafs.FileSystem
    entry: pafs.FileInfo

    @property
    def is_newest(self) -> bool:
        version = self.history.version
        entry, following = self.filesystem.get_file_info([_entry(version), _entry(version + 1)])
        return following.type == pafs.FileType.NotFound and _same(entry, self.entry)


class _OpenedHistories:
    """By location those that were read last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: OrderedDict[str, _Opened] = OrderedDict()

    def newest(self, group: FeatureGroup, *, room: int) -> History | None:
        location = history_location(group)
        with self._lock:
            known = self._opened.get(location)
        if known is not None and known.is_newest:
            with self._lock:
                if location in self._opened:
                    self._opened.move_to_end(location)
            return known.history
        history = open_history(group)
        if history is not None:
            self._keep(location, history, room=room)
        return history

    def _keep(self, location: str, history: History, *, room: int) -> None:
        filesystem = filesystem_of(history.table.table_uri)
        (entry,) = filesystem.get_file_info([_entry(history.version)])
        if entry.type != pafs.FileType.File:
            return
        with self._lock:
            self._opened[location] = _Opened(history, filesystem, entry)
            self._opened.move_to_end(location)
            while len(self._opened) > room:
                self._opened.popitem(last=False)


def read_history(group: FeatureGroup, *, version: int | None = None) -> History | None:
    """As :func:`serving.stores.offline.open_history`, for reading only: others may be reading the same."""
    if version is not None or not _keeps():
        return open_history(group, version=version)
    return _opened.newest(group, room=settings.FEATURESTORE.serving.max_cache_size)


def rows_of(history: History) -> RowHistory:
    """All rows of a history, for a join: with what is kept of its files where the configuration keeps anything."""
    if not _keeps() or history.table.metadata().partition_columns:
        return history.keyed_dataset
    room = min(parse_size(settings.FEATURESTORE.performance.history_index_memory), memory_limit() // _INDEX_SHARE)
    return KeptFiles(history.keyed_dataset, place=history.table.table_uri, kept=_kept, room=room)


def _keeps() -> bool:
    configuration = settings.FEATURESTORE
    return configuration.feature_store.cache_enabled and configuration.performance.query_caching


def _entry(version: int) -> str:
    return f"_delta_log/{version:020}.json"


def _same(one: pafs.FileInfo, other: pafs.FileInfo) -> bool:
    return (one.type, one.size, one.mtime_ns) == (other.type, other.size, other.mtime_ns)


_opened = _OpenedHistories()
_kept = KeptRuns()

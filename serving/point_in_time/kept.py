"""The runs of files that are kept in memory: of those used last, so many bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace

from serving.point_in_time.runs import FileRuns

# What an entry takes beside its arrays, or when it has none.
_ENTRY_BYTES = 1_024


class KeptRuns:
    """The runs of files by the files' names. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, FileRuns | None] = OrderedDict()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """What is kept; keys that several files share count for each."""
        return self._bytes

    def get(self, name: Hashable, make: Callable[[], FileRuns | None], *, room: int) -> FileRuns | None:
        """The runs of a file, made unless they are kept; None, kept as well, of a file that has none.

        Beyond ``room`` bytes in all, those that were not used for longest go.
        """
        with self._lock:
            if name in self._entries:
                self._entries.move_to_end(name)
                return self._entries[name]
        made = make()
        with self._lock:
            if name not in self._entries:
                made = self._sharing_keys(made)
                self._entries[name] = made
                self._bytes += _bytes_of(made)
            while self._bytes > room and self._entries:
                _, gone = self._entries.popitem(last=False)
                self._bytes -= _bytes_of(gone)
        return made

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    def _sharing_keys(self, made: FileRuns | None) -> FileRuns | None:
        """The groups of an entity mostly have the same keys: one array of them is looked up once for all."""
        for other in self._entries.values():
            if made is not None and other is not None and other.keys.equals(made.keys):
                return replace(made, keys=other.keys)
        return made


def _bytes_of(runs: FileRuns | None) -> int:
    return _ENTRY_BYTES + (0 if runs is None else runs.bytes)

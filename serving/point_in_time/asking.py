"""The entity rows of one slice as the groups ask for them; what several groups need is worked out once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serving.point_in_time.microseconds import Times
from serving.point_in_time.search import Asked, Integers

# Groups that are answered side by side mostly look up the same keys; beyond those, places are not worth their memory.
_PLACES_KEPT = 2


class EntityRows:
    """Keys and times of the entity rows, as long as each other; a null key is asked for by no row."""

    def __init__(self, keys: pa.Array[Any], times: Times) -> None:
        self.keys = keys
        self.times = times
        self._lock = threading.Lock()
        self._few: dict[int, pa.Array[Any] | None] = {}
        self._places: OrderedDict[int, _Places] = OrderedDict()

    def few_keys(self, most: int) -> pa.Array[Any] | None:
        """The distinct keys where they are fewer than ``most``."""
        with self._lock:
            if most not in self._few:
                self._few[most] = self._few_keys(most)
            return self._few[most]

    def _few_keys(self, most: int) -> pa.Array[Any] | None:
        # Mostly the first rows tell already that they are more.
        for keys in (self.keys.slice(0, 2 * most), self.keys):
            distinct = keys.unique()
            if len(distinct) >= most:
                return None
        return distinct.drop_null()

    @property
    def asked(self) -> Asked:
        """The rows grouped by key."""
        with self._lock:
            return self._asked

    @cached_property
    def _asked(self) -> Asked:
        return Asked.of(self.keys, self.times)

    def places_in(self, keys: pa.Array[Any]) -> Integers:
        """Per row where its key is among ``keys``, which are distinct; their number where it is not there."""
        with self._lock:
            # By identity, which stays theirs as long as they are held.
            places = self._places.pop(id(keys), None) or _Places(keys, self.keys)
            self._places[id(keys)] = places
            while len(self._places) > _PLACES_KEPT:
                self._places.popitem(last=False)
        return places.get()


class _Places:
    """Worked out by the thread that asks first, while others wait."""

    def __init__(self, keys: pa.Array[Any], asked: pa.Array[Any]) -> None:
        self._lock = threading.Lock()
        self._keys = keys
        self._asked = asked
        self._found: Integers | None = None

    def get(self) -> Integers:
        with self._lock:
            if self._found is None:
                found = pc.index_in(self._asked, value_set=self._keys)
                self._found = found.fill_null(len(self._keys)).to_numpy(zero_copy_only=False).astype(np.int64)
            return self._found

"""Token buckets, each kept as one number: the time at which it will be full again.

A bucket that is full takes ``room / every`` requests at once, and one more ``every`` so many seconds. (This is the
generic cell rate algorithm, ITU-T I.371.)
"""

from __future__ import annotations

import logging
import threading
import time
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

_MOST_KEPT = 10_000
PREFIX = "featurestore:bucket"

# One trip and one step for all processes; the time is the server's own, as their clocks differ.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + tonumber(ARGV[1])
local wait = full - now - tonumber(ARGV[2])
if wait > 0.000001 then return string.format('%.6f', wait) end
redis.call('SET', KEYS[1], string.format('%.6f', full), 'EX', math.ceil(full - now))
return '0'
"""


class Buckets(Protocol):
    def take(self, name: str, *, every: float, room: float) -> float | None:
        """Take one request out of the bucket; None when it was there, or the seconds until one will be."""


class ProcessBuckets:
    """The buckets of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}

    def take(self, name: str, *, every: float, room: float) -> float | None:
        now = time.monotonic()
        with self._lock:
            full_at = max(self._full_at.get(name, 0.0), now) + every
            wait = full_at - now - room
            if wait > 1e-6:
                return wait
            if len(self._full_at) >= _MOST_KEPT:
                # A bucket that is full needs no memory.
                self._full_at = {name: at for name, at in self._full_at.items() if at > now}
            self._full_at[name] = full_at
        return None


class RedisBuckets:
    """Buckets that all processes share; while Redis does not answer, those of each process count."""

    def __init__(self, client: Any) -> None:
        self._take = client.register_script(_TAKE)
        self._meanwhile = ProcessBuckets()

    def take(self, name: str, *, every: float, room: float) -> float | None:
        try:
            wait = float(self._take(keys=[f"{PREFIX}:{name}"], args=[every, room]))
        except (OSError, import_string("redis.RedisError")) as error:
            logger.warning("Redis does not count requests, so each process does: %s", type(error).__name__)
            return self._meanwhile.take(name, every=every, room=room)
        return wait or None


def buckets() -> Buckets:
    """The buckets of this process, or those in Redis where the configuration names one."""
    place = settings.FEATURESTORE.feature_store.online_store
    return _of_this_process if place == "database" else _in_redis(place)


@cache
def _in_redis(url: str) -> RedisBuckets:
    # Only a store in Redis needs the driver, which is an extra of the installation.
    client = import_string("redis.Redis").from_url(url, socket_connect_timeout=1.0, socket_timeout=1.0)
    return RedisBuckets(client)


_of_this_process = ProcessBuckets()

"""What a process that serves does before and after each request.

Django asks every database and every cache that there may be, three times around each request. Here there is one
database, no cache holds a connection of a request, and the queries of a request are noted only for debugging.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import cache, signals
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, reset_queries


def attend_to_one_database() -> None:
    """Put the checks of the one database in the place of Django's of all databases and caches."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
        signal.connect(close_old_connection)
    signals.request_finished.disconnect(cache.close_caches)
    if not settings.DEBUG:
        signals.request_started.disconnect(reset_queries)


def close_old_connection(**_: Any) -> None:
    """Close this thread's connection when it broke or has been open for as long as it may be."""
    connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()

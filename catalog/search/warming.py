"""Making the search index before anybody searches."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, connection

from catalog.search.index import indexer

log = logging.getLogger(__name__)


def warm_in_background() -> threading.Thread:
    """Make the index of this process beside its first requests; a search that comes sooner waits for it."""
    thread = threading.Thread(target=_warm, name="search-index", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    try:
        indexer.current()
    except DatabaseError as error:
        # The first search tries again, and says what is wrong to whom it concerns.
        log.info("the search index is made with the first search: %s", error)
    finally:
        connection.close()

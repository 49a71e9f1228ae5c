"""What the apps above the catalog contribute to its pages, loaded when a page first asks for it.

A process that serves values and no pages never loads it, nor the libraries that it takes.
"""

from __future__ import annotations

import threading

from django.utils.module_loading import import_string

_lock = threading.RLock()
_announced: list[str] = []


def announce(registering: str) -> None:
    """Call the function of this dotted name, which registers what an app contributes, before it is first needed."""
    _announced.append(registering)


def load_contributions() -> None:
    """See that everything announced is registered, in the order in which it was announced."""
    with _lock:
        while _announced:
            import_string(_announced[0])()
            _announced.pop(0)

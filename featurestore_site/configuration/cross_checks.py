"""What the models of the sections cannot tell: names that refer to nothing, schedules and zones of groups,
addresses with passwords (pure).

These checks read the plain values, so that they find their faults beside those of the models.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from featurestore_site.configuration.configuration import WAREHOUSE
from featurestore_site.configuration.faults import KeyPath
from featurestore_site.configuration.values import check_cron, check_timezone


def cross_faults(values: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Key and message of each fault between the sections."""
    sources = _block(_block(values.get("input_sources")).get("sources"))
    if WAREHOUSE in sources:
        message = "is the name of the step-6 warehouse; set input_sources.step6_datawarehouse instead"
        yield ("input_sources", "sources", WAREHOUSE), message
    known = [WAREHOUSE, *sources]
    for name, group in _block(values.get("features")).items():
        path: KeyPath = ("features", name)
        yield from _checked(path, group, "source", lambda source: _check_source(source, known))
        yield from _checked(path, group, "schedule", check_cron)
        yield from _checked(path, group, "timezone", check_timezone)


def secret_faults(values: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Key and message of each address in the file that holds a password."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from secret_faults(value, (*path, key))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from secret_faults(value, (*path, index))
    elif isinstance(values, str) and "://" in values and _has_password(values):
        yield path, "holds a password; a secret has no place in this file, give it in the environment"


def _has_password(address: str) -> bool:
    try:
        return bool(urlsplit(address).password)
    except ValueError:
        return "@" in address


def _block(value: object) -> dict[str, Any]:
    """``value`` when it is a block of keys; what else it is, the models say."""
    return value if isinstance(value, dict) else {}


def _check_source(source: str, known: list[str]) -> None:
    if source not in known:
        near = difflib.get_close_matches(source, known, n=1, cutoff=0)[0]
        raise ValueError(f"{source!r} names no source; the nearest of input_sources.sources is {near}")


def _checked(path: KeyPath, group: object, key: str, check: Callable[[str], None]) -> Iterator[tuple[KeyPath, str]]:
    value = _block(group).get(key)
    if isinstance(value, str):
        try:
            check(value)
        except ValueError as error:
            yield (*path, key), str(error)

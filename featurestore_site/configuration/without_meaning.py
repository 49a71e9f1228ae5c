"""Settings of the original pipeline that this store knows and that change nothing here, with the reason.

A setting that is read somewhere leaves this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from featurestore_site.configuration.faults import dotted
from featurestore_site.configuration.reading import Document


@dataclass(frozen=True)
class WithoutMeaning:
    """A key, why it changes nothing, and (when only some values are meant) which."""

    key: tuple[str, ...]
    why: str
    applies: Callable[[Any], bool] = lambda _: True


TABLE = (
    WithoutMeaning(
        ("features", "<name>", "retention"),
        "it is kept in the catalog and shown there, and nothing is deleted from the history by itself",
    ),
    WithoutMeaning(
        ("ingestion", "incremental_updates"),
        "every ingestion compares the whole source with the history and writes only what is not in it",
        lambda value: value is False,
    ),
    WithoutMeaning(
        ("ingestion", "conflict_resolution"),
        "the newest value by event and created timestamp is served, and the history keeps every correction as a "
        "row of its own; versions are of definitions, not of values",
        lambda value: value == "version_increment",
    ),
    WithoutMeaning(
        ("versioning", "version_format"),
        "versions are major.minor (semantic)",
        lambda value: value in {"timestamp", "incremental"},
    ),
    WithoutMeaning(
        ("performance", "query_optimization"), "the database and the join engine plan their queries themselves"
    ),
    WithoutMeaning(("performance", "auto_create_indexes"), "the indexes are part of the migrations and always there"),
    WithoutMeaning(
        ("integration", "downstream", "prepare_for_step8"),
        "step 8 reads the offline tables as they are; nothing has to be prepared",
    ),
    WithoutMeaning(
        ("integration", "downstream", "prepare_for_step9"),
        "step 9 asks the API or the SDK for training data; nothing has to be prepared",
    ),
)

_POOL = (("feature_store", "connection_pool_size"), ("performance", "connection_pooling"))
_BACKUP = ("feature_store", "backup_enabled")


def warnings_of(document: Document, *, database: str) -> Iterator[str]:
    """One sentence per key of ``document`` that changes nothing; ``database`` is sqlite, postgresql or mysql."""
    for entry in TABLE:
        yield from _warnings(entry, document)
    if database != "postgresql":
        for key in _POOL:
            why = f"connections are pooled on PostgreSQL only, and the database is {database}"
            yield from _warnings(WithoutMeaning(key, why, lambda value: value is not False), document)
    if database != "sqlite":
        why = f"the backup is a copy of a SQLite database, and the database is {database}, which has tools of its own"
        yield from _warnings(WithoutMeaning(_BACKUP, why, lambda value: value is True), document)


def _warnings(entry: WithoutMeaning, document: Document) -> Iterator[str]:
    for key, value in _found(entry.key, document.values, ()):
        if value is not None and entry.applies(value):
            place = f"{document.file.name}:{document.lines[key]}"
            yield f"{place}: {dotted(key)} has no effect: {entry.why}."


def _found(wanted: tuple[str, ...], values: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each key of the file that ``wanted`` means, with its value; ``<name>`` in it stands for every name."""
    if not wanted:
        yield path, values
        return
    if not isinstance(values, dict):
        return
    for name in values if wanted[0] == "<name>" else (wanted[0],):
        if name in values:
            yield from _found(wanted[1:], values[name], (*path, name))

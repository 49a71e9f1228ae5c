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
        ("feature_store", "backup_enabled"),
        "a backup is a copy of the database and of the data folder, made by their own tools",
    ),
    WithoutMeaning(
        ("feature_store", "backup_path"),
        "a backup is a copy of the database and of the data folder, made by their own tools",
    ),
    WithoutMeaning(
        ("ingestion", "conflict_resolution"),
        "the newer of two values by event and created timestamp is served and both stay in the history",
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
        ("monitoring", "metrics_interval"), "metrics are counted as things happen and are read when asked for"
    ),
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


def warnings_of(document: Document, *, database: str) -> Iterator[str]:
    """One sentence per key of ``document`` that changes nothing; ``database`` is sqlite, postgresql or mysql."""
    for entry in TABLE:
        yield from _warning(entry, document)
    if database != "postgresql":
        for key in _POOL:
            why = f"connections are pooled on PostgreSQL only, and the database is {database}"
            yield from _warning(WithoutMeaning(key, why, lambda value: value is not False), document)


def _warning(entry: WithoutMeaning, document: Document) -> Iterator[str]:
    value: Any = document.values
    for part in entry.key:
        if not isinstance(value, dict) or part not in value:
            return
        value = value[part]
    if value is not None and entry.applies(value):
        place = f"{document.file.name}:{document.lines[entry.key]}"
        yield f"{place}: {dotted(entry.key)} has no effect: {entry.why}."

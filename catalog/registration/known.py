"""What the catalog holds, in the form in which it is compared (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Number = tuple[int, int]
"""``(major, minor)`` of a version."""


def number_text(number: Number) -> str:
    return f"{number[0]}.{number[1]}"


@dataclass(frozen=True)
class KnownVersion:
    """``declared`` is the number that the configuration named when the version was made; empty: made by hand."""

    number: Number
    status: str
    is_current: bool
    is_pinned: bool
    declared: str
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class KnownFeature:
    name: str
    entity: str
    group: str
    status: str
    declared: bool
    fields: Mapping[str, Any]
    default: Number | None
    versions: tuple[KnownVersion, ...]

    @property
    def newest(self) -> KnownVersion | None:
        return max(self.versions, key=lambda version: version.number, default=None)


@dataclass(frozen=True)
class KnownGroup:
    """``fields`` has the stored fields and the tags."""

    name: str
    entity: str
    status: str
    declared: bool
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class KnownEntity:
    name: str
    join_keys: tuple[str, ...]
    description: str
    has_groups: bool


@dataclass(frozen=True)
class KnownService:
    """``members`` are (entity, feature name, number) in order."""

    name: str
    status: str
    declared: bool
    description: str
    owner: str
    members: tuple[tuple[str, str, Number], ...]


@dataclass(frozen=True)
class KnownCatalog:
    """All that the catalog holds; features by (entity, name)."""

    entities: Mapping[str, KnownEntity]
    groups: Mapping[str, KnownGroup]
    features: Mapping[tuple[str, str], KnownFeature]
    services: Mapping[str, KnownService]

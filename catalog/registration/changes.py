"""What differs between a declaration and the catalog (pure: no Django)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from catalog.durations import format_duration


class ChangeKind(StrEnum):
    ADDED = "added"
    UPDATED = "updated"  # descriptive: tags, owner, where a group is read from
    MINOR = "minor"  # a compatible definition on the same value column
    MAJOR = "major"  # a new meaning with its own value column
    DEPRECATED = "deprecated"  # no longer declared; kept, ingested and served
    RESTORED = "restored"  # declared again
    ARCHIVED = "archived"  # an old version beyond what is retained
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Detail:
    """One field that changes, with both sides as text; ``before`` is None for something new."""

    field: str
    before: str | None
    after: str

    def __str__(self) -> str:
        return f"{self.field}: {self.after}" if self.before is None else f"{self.field}: {self.before} → {self.after}"


@dataclass(frozen=True)
class Change:
    """What happens to one object: ``write`` is what the writer needs to make it so."""

    kind: ChangeKind
    object_type: str
    name: str
    details: tuple[Detail, ...] = ()
    note: str = ""
    write: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Plan:
    """All objects of a declaration and what happens to each, in the order in which it is done."""

    changes: tuple[Change, ...]

    @property
    def changed(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind is not ChangeKind.UNCHANGED)

    @property
    def counts(self) -> dict[ChangeKind, int]:
        """How many objects there are of each kind of change, without kinds that do not occur."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in ChangeKind if found[kind]}

    def __bool__(self) -> bool:
        """Whether anything would be written."""
        return bool(self.changed)


def as_text(value: object) -> str:
    """A stored value as a person reads it."""
    if value is None or value == "" or value == [] or value == {} or value == ():
        return "none"
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, float):
        return f"{value:.15g}"
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Detail, ...]:
    """The fields of ``after`` that are another in ``before``; a block of rules is told rule by rule."""
    return tuple(_differences(before, after, prefix=""))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str) -> Iterable[Detail]:
    names = list(after) + ([name for name in before if name not in after] if prefix else [])
    for name in names:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, prefix=f"{prefix}{name}.")
        else:
            yield Detail(field=f"{prefix}{name}", before=as_text(old), after=as_text(new))

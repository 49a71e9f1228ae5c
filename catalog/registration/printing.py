"""A plan as text for people (pure: no Django)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from catalog.registration.changes import Change, ChangeKind, Plan

SIGNS: dict[ChangeKind, str] = {
    ChangeKind.ADDED: "+",
    ChangeKind.UPDATED: "~",
    ChangeKind.MINOR: "~",
    ChangeKind.MAJOR: "!",
    ChangeKind.DEPRECATED: "-",
    ChangeKind.RESTORED: "+",
    ChangeKind.ARCHIVED: "-",
    ChangeKind.UNCHANGED: " ",
}

ORDER = ("source", "entity", "group", "feature", "version", "service", "schedule")
TITLES = {"entity": "entities"}


def plan_lines(plan: Plan, *, paint: Callable[[ChangeKind, str], str]) -> Iterator[str]:
    """The differences, grouped by what they are about; ``paint`` colours the text of one kind of change."""
    ordered = sorted(plan.changed, key=lambda change: _place(change.object_type))
    width = max((len(change.name) for change in ordered), default=0)
    for object_type, changes in groupby(ordered, key=lambda change: change.object_type):
        yield TITLES.get(object_type, f"{object_type}s")
        for change in changes:
            yield from _lines(change, width, paint)


def _place(object_type: str) -> int:
    return ORDER.index(object_type) if object_type in ORDER else len(ORDER)


def _lines(change: Change, width: int, paint: Callable[[ChangeKind, str], str]) -> Iterator[str]:
    inline = change.kind is ChangeKind.ADDED
    told = ", ".join(str(detail) for detail in change.details) if inline else change.note
    line = f"  {SIGNS[change.kind]} {change.name:<{width}}  {change.kind.value:<10}  {told}".rstrip()
    yield paint(change.kind, line)
    if not inline:
        for detail in change.details:
            yield f"      {detail}"


def counts_text(plan: Plan) -> str:
    """``3 added, 1 updated, 12 unchanged``."""
    return ", ".join(f"{count} {kind.value}" for kind, count in plan.counts.items()) or "nothing is declared"

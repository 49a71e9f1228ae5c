"""The sources of the configuration become rows that ingestion reads from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from catalog.audit import record, snapshot
from catalog.registration.changes import Change, ChangeKind, Detail, differences
from ingestion.models import Source

FIELDS = ("kind", "location", "reports_location")


@dataclass(frozen=True)
class DeclaredSource:
    """``kind`` is one of :class:`~ingestion.models.SourceKind`; the locations are absolute paths."""

    name: str
    kind: str
    location: str
    reports_location: str = ""

    @property
    def values(self) -> dict[str, str]:
        return {"kind": self.kind, "location": self.location, "reports_location": self.reports_location}


def plan_sources(declared: Iterable[DeclaredSource]) -> tuple[Change, ...]:
    """What :func:`register_sources` would do now; sources that are no longer declared are left alone."""
    known = {source.name: source for source in Source.objects.all()}
    return tuple(_change(source, known.get(source.name)) for source in declared)


def register_sources(declared: Iterable[DeclaredSource]) -> tuple[Change, ...]:
    """Make the stored sources match those declared, within the caller's transaction; what was done, per source."""
    changes = plan_sources(declared)
    for change in changes:
        if change.kind is not ChangeKind.UNCHANGED:
            _write(change)
    return changes


def _change(declared: DeclaredSource, known: Source | None) -> Change:
    if known is None:
        told = (Detail("kind", None, declared.kind), Detail("location", None, declared.location))
        return Change(ChangeKind.ADDED, "source", declared.name, told, write=declared)
    # A place that a person has set since the last time stays, until the configuration says something new.
    details = differences(known.declared, declared.values)
    kind = ChangeKind.UPDATED if details else ChangeKind.UNCHANGED
    return Change(kind, "source", declared.name, details, write=declared)


def _write(change: Change) -> None:
    declared = change.write
    assert isinstance(declared, DeclaredSource)
    if change.kind is ChangeKind.ADDED:
        source = Source.objects.create(name=declared.name, declared=declared.values, **declared.values)
        record(action="create", instance=source, after=snapshot(source))
        return
    source = Source.objects.get(name=declared.name)
    before = snapshot(source, FIELDS)
    for name, value in declared.values.items():
        setattr(source, name, value)
    source.declared = declared.values
    source.save()
    record(action="update", instance=source, before=before, after=snapshot(source, FIELDS))


def move_source(*, name: str, location: str, reports_location: str) -> Source:
    """Read the source from another place from now on; ``apply`` keeps it until the configuration changes."""
    with transaction.atomic():
        source = Source.objects.get(name=name)
        before = snapshot(source, FIELDS)
        source.location, source.reports_location = location, reports_location
        source.save()
        record(action="update", instance=source, before=before, after=snapshot(source, FIELDS))
    return source

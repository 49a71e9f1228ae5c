"""Compares what is declared with what the catalog holds (pure: no Django)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.declarations import CatalogDeclaration, EntityDeclaration
from catalog.registration.changes import Change, ChangeKind, Detail, Plan, as_text, differences
from catalog.registration.desired import Desired, DesiredFeature, DesiredGroup, desired_catalog
from catalog.registration.evolution import NewVersion, beyond_retention, next_version
from catalog.registration.faults import Faults
from catalog.registration.known import KnownCatalog, KnownEntity, KnownFeature, Number, number_text
from catalog.registration.pins import compare_services
from catalog.registration.policy import Policy

REMOVED = "no longer in the configuration"


@dataclass(frozen=True)
class FeatureWrite:
    feature: DesiredFeature
    version: NewVersion | None
    default: Number | None
    """The default version to set; None to leave it."""
    restore: bool
    keep: bool


@dataclass(frozen=True)
class GroupWrite:
    group: DesiredGroup
    restore: bool
    keep: bool


@dataclass(frozen=True)
class EntityWrite:
    name: str
    entity: EntityDeclaration


@dataclass(frozen=True)
class Archiving:
    entity: str
    feature: str
    number: Number


def compare(declaration: CatalogDeclaration, *, known: KnownCatalog, policy: Policy) -> Plan:
    """What would change in the catalog, in the order in which it is to be done.

    :raises ConfigurationError: with all faults of the declaration.
    """
    faults = Faults()
    desired = desired_catalog(declaration, known=known, policy=policy, faults=faults)
    changes = [_entity(name, entity, known, faults) for name, entity in desired.entities.items()]
    changes += [_group(group, known, policy, faults) for group in desired.groups]
    numbers: dict[tuple[str, str], Number] = {}
    for feature in desired.features:
        before = known.features.get((feature.entity, feature.name))
        made = _feature(feature, before, policy, numbers, faults)
        changes += made
    changes += compare_services(desired, known=known, new=numbers, keeps=policy.keeps, faults=faults)
    changes += _removed(desired, known, policy)
    faults.refuse()
    return Plan(tuple(changes))


def _entity(name: str, entity: EntityDeclaration, known: KnownCatalog, faults: Faults) -> Change:
    before: KnownEntity | None = known.entities.get(name)
    keys = ", ".join(entity.join_keys)
    write = EntityWrite(name, entity)
    if before is None:
        return Change(ChangeKind.ADDED, "entity", name, (Detail("join_keys", None, keys),), write=write)
    if before.join_keys != entity.join_keys and before.has_groups:
        faults.add(
            f"entities.{name}.join_keys",
            f"changes from {', '.join(before.join_keys)} to {keys}, and values are kept under the former; "
            "declare an entity of another name",
        )
    # An entity that only its groups tell of has no description of its own to compare.
    description = entity.description or before.description
    details = differences(
        {"join_keys": before.join_keys, "description": before.description},
        {"join_keys": entity.join_keys, "description": description},
    )
    return Change(ChangeKind.UPDATED if details else ChangeKind.UNCHANGED, "entity", name, details, write=write)


def _group(group: DesiredGroup, known: KnownCatalog, policy: Policy, faults: Faults) -> Change:
    before = known.groups.get(group.name)
    if before is None:
        details = _told(group.fields, ("source_table", "schedule", "max_age"))
        details = (Detail("entity", None, group.entity), *details)
        write = GroupWrite(group, restore=False, keep=policy.keeps)
        return Change(ChangeKind.ADDED, "group", group.name, details, write=write)
    if before.entity != group.entity:
        faults.add(
            f"features.{group.name}.entity",
            f"changes from {before.entity} to {group.entity}, and the group's values are kept by {before.entity}; "
            "declare a group of another name",
        )
    restore = before.status == "deprecated" and not before.declared
    keep = policy.keeps or before.declared
    details = _adopted(before.declared, keep) + differences(before.fields, group.fields)
    kind = ChangeKind.RESTORED if restore else ChangeKind.UPDATED if details else ChangeKind.UNCHANGED
    return Change(kind, "group", group.name, details, write=GroupWrite(group, restore=restore, keep=keep))


def _feature(
    feature: DesiredFeature,
    before: KnownFeature | None,
    policy: Policy,
    numbers: dict[tuple[str, str], Number],
    faults: Faults,
) -> Iterator[Change]:
    versions = () if before is None else before.versions
    try:
        new = next_version(
            versions,
            declared=feature.number,
            definition=feature.definition,
            auto_versioning=policy.auto_versioning,
        )
    except ValueError as error:
        faults.add(f"{feature.key}.version", str(error))
        return
    if new is not None:
        numbers[feature.entity, feature.name] = new.number
    default = new.number if new is not None and _moves_default(before, new) else None
    if before is None:
        assert new is not None  # A feature without versions gets one.
        details = (
            Detail("version", None, number_text(new.number)),
            *_told(feature.definition, ("data_type", "source_column", "expression")),
        )
        write = FeatureWrite(feature, new, default, restore=False, keep=policy.keeps)
        yield Change(ChangeKind.ADDED, "feature", feature.reference, details, write=write)
        return
    restore = before.status == "deprecated" and not before.declared
    keep = policy.keeps or before.declared
    details = _adopted(before.declared, keep) + differences(before.fields, feature.fields)
    kind = ChangeKind.RESTORED if restore else ChangeKind.UPDATED if details else ChangeKind.UNCHANGED
    if new is not None:
        newest = before.newest
        step = Detail("version", number_text(newest.number) if newest else None, number_text(new.number))
        details = (step, *new.details, *details)
        kind = ChangeKind.MAJOR if new.is_major else ChangeKind.MINOR
    write = FeatureWrite(feature, new, default, restore, keep)
    yield Change(kind, "feature", feature.reference, details, write=write)
    retired = beyond_retention(
        versions,
        new=new.number if new else None,
        default=default or before.default,
        retain=policy.retain_versions,
    )
    for number in retired:
        yield Change(
            ChangeKind.ARCHIVED,
            "version",
            f"{feature.reference}@{number_text(number)}",
            note=f"older than the {policy.retain_versions} newest, and nothing uses it",
            write=Archiving(feature.entity, feature.name, number),
        )


def _moves_default(before: KnownFeature | None, new: NewVersion) -> bool:
    """A new major becomes the default; a new minor does where an older minor of its major is it."""
    return before is None or before.default is None or new.is_major or before.default[0] == new.number[0]


def _adopted(declared: bool, keep: bool) -> tuple[Detail, ...]:
    """What the catalog had without the configuration, or lost from it, is from now on kept by it."""
    return () if declared == keep else (Detail("declared", "no", "yes"),)


def _told(values: Mapping[str, Any], fields: tuple[str, ...]) -> tuple[Detail, ...]:
    return tuple(Detail(field, None, as_text(values[field])) for field in fields if values[field] not in ("", None))


def _removed(desired: Desired, known: KnownCatalog, policy: Policy) -> Iterator[Change]:
    """What was declared and is so no more. Groups stay scheduled: their values are served on until archived."""
    kind = ChangeKind.DEPRECATED if policy.deprecate_removed else ChangeKind.UNCHANGED
    note = REMOVED if policy.deprecate_removed else f"{REMOVED}; left as it is, versioning.enable_deprecation is off"
    groups = {group.name for group in desired.groups}
    features = {(feature.entity, feature.name) for feature in desired.features}
    for group in known.groups.values():
        if group.declared and group.status == "active" and group.name not in groups:
            yield Change(kind, "group", group.name, note=note)
    for place, feature in known.features.items():
        if feature.declared and feature.status == "active" and place not in features:
            yield Change(kind, "feature", f"{feature.group}:{feature.name}", note=note)
    for service in known.services.values():
        if service.declared and service.status == "active" and service.name not in desired.services:
            yield Change(kind, "service", service.name, note=note)

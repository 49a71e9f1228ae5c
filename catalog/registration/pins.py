"""Which versions a declared feature service pins (pure: no database).

A reference with a version says it. One without keeps the version that the service already pins, so that a model
never gets another meaning because the default has moved; a new one takes the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.declarations import ServiceDeclaration
from catalog.errors import InvalidInput
from catalog.references import Reference, parse_reference
from catalog.registration.changes import Change, ChangeKind, Detail, differences
from catalog.registration.desired import Desired
from catalog.registration.faults import Faults, did_you_mean
from catalog.registration.known import KnownCatalog, KnownService, Number, number_text

Member = tuple[str, str, Number]


@dataclass(frozen=True)
class ServiceWrite:
    name: str
    description: str
    owner: str
    members: tuple[Member, ...]
    restore: bool
    keep: bool


@dataclass(frozen=True)
class _Candidate:
    entity: str
    name: str
    group: str
    default: Number | None
    numbers: tuple[Number, ...]


def compare_services(
    desired: Desired,
    *,
    known: KnownCatalog,
    new: Mapping[tuple[str, str], Number],
    keeps: bool,
    faults: Faults,
) -> Iterator[Change]:
    """One change per declared service; ``new`` are the versions that the same declaration adds.

    ``keeps`` is that of the policy.
    """
    candidates = list(_candidates(desired, known, new))
    for name, service in desired.services.items():
        before = known.services.get(name)
        members = tuple(_members(name, service, before, candidates, faults))
        yield _change(name, service, before, members, keeps=keeps)


def _candidates(desired: Desired, known: KnownCatalog, new: Mapping[tuple[str, str], Number]) -> Iterator[_Candidate]:
    declared = {(feature.entity, feature.name): feature.group for feature in desired.features}
    for place in declared.keys() | known.features.keys():
        before = known.features.get(place)
        if before is not None and before.status == "archived":
            continue
        numbers = [] if before is None else [item.number for item in before.versions if item.status != "archived"]
        default = None if before is None else before.default
        if place in new:
            major = new[place][0]
            is_major = all(number[0] != major for number in numbers)
            default = new[place] if default is None or is_major or default[0] == major else default
            numbers.append(new[place])
        group = before.group if before is not None else declared[place]
        yield _Candidate(place[0], place[1], group, default, tuple(numbers))


def _members(
    name: str,
    service: ServiceDeclaration,
    before: KnownService | None,
    candidates: list[_Candidate],
    faults: Faults,
) -> Iterator[Member]:
    seen: dict[tuple[str, str, int], str] = {}
    for text in service.features:
        key = f"services.{name}.features"
        try:
            reference = parse_reference(text)
            member = _member(reference, before, candidates)
        except (InvalidInput, ValueError) as error:
            faults.add(key, error.message if isinstance(error, InvalidInput) else str(error))
            continue
        column = (member[0], member[1], member[2][0])
        if column in seen:
            faults.add(key, f"{text} and {seen[column]} are the same values; keep one")
        seen[column] = text
        yield member


def _member(reference: Reference, before: KnownService | None, candidates: list[_Candidate]) -> Member:
    named = [item for item in candidates if item.name == reference.name]
    fitting = [item for item in named if reference.group in (None, item.group)]
    if not fitting:
        ways = sorted(f"{item.group}:{item.name}" for item in named)
        hint = (
            f"; did you mean {', '.join(ways)}?"
            if ways
            else did_you_mean(reference.name, [item.name for item in candidates])
        )
        raise ValueError(f"there is no feature {reference.text!r}{hint}")
    if len(fitting) > 1:
        ways = sorted(f"{item.group}:{item.name}" for item in fitting)
        raise ValueError(f"{reference.text} could be {' or '.join(ways)}; write one of these")
    feature = fitting[0]
    pinned = (
        []
        if before is None
        else [number for entity, name, number in before.members if (entity, name) == (feature.entity, feature.name)]
    )
    fits = [number for number in feature.numbers if _fits(number, reference)]
    kept = [number for number in pinned if number in fits]
    if kept and reference.minor is None:
        return feature.entity, feature.name, feature.default if feature.default in kept else max(kept)
    if reference.major is None and feature.default is not None:
        return feature.entity, feature.name, feature.default
    if not fits:
        listed = ", ".join(number_text(number) for number in sorted(feature.numbers)) or "none"
        raise ValueError(f"{feature.name} has no version as in {reference.text!r}; its versions are {listed}")
    return feature.entity, feature.name, max(fits)


def _fits(number: Number, reference: Reference) -> bool:
    return reference.major in (None, number[0]) and reference.minor in (None, number[1])


def _change(
    name: str, service: ServiceDeclaration, before: KnownService | None, members: tuple[Member, ...], *, keeps: bool
) -> Change:
    restore = before is not None and before.status == "deprecated" and not before.declared
    keep = keeps or (before is not None and before.declared)
    write = ServiceWrite(name, service.description, service.owner, members, restore, keep)
    if before is None:
        return Change(ChangeKind.ADDED, "service", name, (Detail("pins", None, _text(members)),), write=write)
    details = differences(
        {
            "declared": "yes" if before.declared else "no",
            "description": before.description,
            "owner": before.owner,
            "pins": _text(before.members),
        },
        {
            "declared": "yes" if keep else "no",
            "description": service.description,
            "owner": service.owner,
            "pins": _text(members),
        },
    )
    kind = ChangeKind.RESTORED if restore else ChangeKind.UPDATED if details else ChangeKind.UNCHANGED
    return Change(kind, "service", name, details, write=write)


def _text(members: tuple[Member, ...]) -> str:
    return ", ".join(f"{name}@{number_text(number)}" for _, name, number in members)

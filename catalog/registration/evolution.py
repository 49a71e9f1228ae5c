"""When a definition becomes a new version (pure: no Django).

A change of type, or a higher declared major, is a new **major** with its own value column. Every other change of
definition is a new **minor** on the same column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.registration.changes import Detail, differences
from catalog.registration.known import KnownVersion, Number, number_text


@dataclass(frozen=True)
class NewVersion:
    """A version to be made; ``declared`` is the number that the configuration named."""

    number: Number
    declared: str
    definition: Mapping[str, Any]
    details: tuple[Detail, ...]
    is_major: bool


def next_version(
    versions: Sequence[KnownVersion], *, declared: Number, definition: Mapping[str, Any], auto_versioning: bool
) -> NewVersion | None:
    """The version that the declared definition needs, or None when the catalog has it.

    The declared number is compared with the newest version. Where it is still the one that the newest version was
    declared with, nobody has chosen a number, and with ``auto_versioning`` the next one is taken.

    :raises ValueError: when the declared number does not fit the change, saying which would.
    """
    if not versions:
        return NewVersion(declared, number_text(declared), definition, (), is_major=True)
    newest = max(versions, key=lambda version: version.number)
    details = differences(newest.definition, definition)
    major, minor = newest.number
    breaking = definition["data_type"] != newest.definition["data_type"]
    unchosen = declared == newest.number or number_text(declared) == newest.declared

    if declared[0] > major:
        chosen = declared
    elif declared > newest.number:
        if breaking:
            raise ValueError(
                f"changes the type from {newest.definition['data_type']} to {definition['data_type']}, which is "
                f'another meaning: declare version "{major + 1}.0", not "{number_text(declared)}"'
            )
        chosen = declared
    elif not details or (not unchosen and _holds(versions, declared, definition)):
        return None
    elif unchosen:
        chosen = (major + 1, 0) if breaking else (major, minor + 1)
        if not auto_versioning:
            told = "; ".join(str(detail) for detail in details)
            raise ValueError(
                f"changes its definition ({told}) and versioning.auto_versioning is off: "
                f'declare version "{number_text(chosen)}"'
            )
    else:
        fitting = (major + 1, 0) if breaking else (major, minor + 1)
        raise ValueError(
            f'is declared as version "{number_text(declared)}" with another definition, and the newest version is '
            f'"{number_text(newest.number)}": declare "{number_text(fitting)}"'
        )
    return NewVersion(chosen, number_text(declared), definition, details, is_major=chosen[0] > major)


def _holds(versions: Sequence[KnownVersion], number: Number, definition: Mapping[str, Any]) -> bool:
    """Whether version ``number``, or the current minor of its major, is defined so."""
    return any(
        (version.number == number or (version.is_current and version.number[0] == number[0]))
        and not differences(version.definition, definition)
        for version in versions
    )


def beyond_retention(
    versions: Sequence[KnownVersion], *, new: Number | None, default: Number | None, retain: int
) -> tuple[Number, ...]:
    """The versions to archive, oldest first: those beyond the ``retain`` newest that nothing uses.

    The current minor of each major is always kept, as are versions that a service pins and the default.
    """
    numbers = sorted([version.number for version in versions] + ([new] if new else []), reverse=True)
    kept = set(numbers[:retain])
    current = {max(number for number in numbers if number[0] == major) for major in {number[0] for number in numbers}}
    return tuple(
        version.number
        for version in sorted(versions, key=lambda version: version.number)
        if version.number not in kept | current
        and version.status != "archived"
        and not version.is_pinned
        and version.number != default
    )

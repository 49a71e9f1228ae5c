"""The versions of a feature as a timeline: who made each, why, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.models import FeatureProfile, FeatureVersion
from catalog.presentation import format_number, format_share, format_value
from catalog.registration.changes import Detail, differences
from catalog.terms import word_of

_DEFINITION = (
    "data_type",
    "source_column",
    "expression",
    "validation",
    "categories",
    "default_value",
    "mask",
    "drift_threshold",
    "description",
)
_NUMBERS = ("row_count", "null_count", "distinct_count", "mean_value", "std_dev")
_SHARES = ("completeness", "validity", "consistency")
_TELL_VALUES = frozenset({"mean_value", "std_dev", "min_value", "max_value"})


@dataclass(frozen=True)
class Measured:
    """One statistic of both versions, as texts."""

    name: str
    before: str
    after: str
    differs: bool


@dataclass(frozen=True)
class VersionDifference:
    """What differs from ``before`` to ``after``; ``statistics`` is empty where one of them has none."""

    before: FeatureVersion
    after: FeatureVersion
    definition: tuple[Detail, ...]
    schema: tuple[Detail, ...]
    statistics: tuple[Measured, ...]


def difference(before: FeatureVersion, after: FeatureVersion, *, shows_values: bool) -> VersionDifference:
    """What differs between two versions of one feature; statistics that tell values only with ``shows_values``."""
    definition = differences(_definition(before), _definition(after))
    schema = differences(
        {"feature_id": before.public_id, "value_column": before.value_column, "data_type": before.data_type},
        {"feature_id": after.public_id, "value_column": after.value_column, "data_type": after.data_type},
    )
    first, second = before.latest_profile, after.latest_profile
    measured = _measured(first, second, shows_values=shows_values) if first and second else ()
    return VersionDifference(before, after, definition, schema, measured)


def predecessor(version: FeatureVersion, versions: Sequence[FeatureVersion]) -> FeatureVersion | None:
    """The version before ``version`` among ``versions``; None for the first."""
    number = (version.major, version.minor)
    older = [one for one in versions if (one.major, one.minor) < number]
    return max(older, key=lambda one: (one.major, one.minor), default=None)


def _definition(version: FeatureVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in _DEFINITION}


def _measured(first: FeatureProfile, second: FeatureProfile, *, shows_values: bool) -> tuple[Measured, ...]:
    names = [(name, format_number) for name in _NUMBERS] + [(name, format_share) for name in _SHARES]
    told = [("min_value", format_value), *names[:3], ("max_value", format_value), *names[3:]]
    measured = []
    for name, shown in told:
        if name in _TELL_VALUES and not shows_values:
            continue
        before, after = getattr(first, name), getattr(second, name)
        if before is not None or after is not None:
            measured.append(Measured(word_of(name).replace("_", " "), shown(before), shown(after), before != after))
    return tuple(measured)

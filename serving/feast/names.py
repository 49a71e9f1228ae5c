"""How the columns of an answer are named for a client of Feast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from catalog.errors import InvalidInput
from serving.online_plan import OnlinePlan


class NameCollision(InvalidInput):
    """Two columns of one answer would have the same name."""


def column_names(plan: OnlinePlan, *, full: bool, of_service: bool, join_keys: Sequence[str]) -> list[str]:
    """A name per feature: that of the feature, with ``full`` after its group and two underscores.

    A reference with a version keeps it: ``balance_mean@1``. A feature that a service has in several versions is
    named with its version.

    :raises NameCollision: when a name occurs twice, or is that of a join key.
    """
    versions = [item.version for item in plan.features]
    names = (
        _names_of_service(plan)
        if of_service
        else [reference.strip().rpartition(":")[2] for reference in plan.references]
    )
    if full:
        names = [f"{version.feature.group.name}__{name}" for version, name in zip(versions, names, strict=True)]
    counted = Counter([*join_keys, *names])
    twice = [name for name, count in counted.items() if count > 1]
    if twice:
        hint = "" if full else "; ask with full_feature_names, which puts the group before the name"
        raise NameCollision(f"{', '.join(twice)} would name several columns{hint}", details={"names": twice})
    return names


def _names_of_service(plan: OnlinePlan) -> list[str]:
    times = Counter(item.version.feature_id for item in plan.features)
    return [
        item.version.feature.name if times[item.version.feature_id] == 1 else f"{item.version.feature.name}@{number}"
        for item, number in zip(plan.features, plan.versions, strict=True)
    ]

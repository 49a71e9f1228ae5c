"""What an online read of some features needs to know of the catalog, worked out once for everybody with equal rights.

A plan holds where each value lies, how old it may be, what stands in for it and through which mask it is seen, so
that a request parses no reference and asks the catalog nothing. It is kept while the catalog stays the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings

from catalog.access import Reader, capabilities_of
from catalog.declarations import Mask
from catalog.disclosure import granted_groups
from catalog.generation import KeptWhileUnchanged
from catalog.models import FeatureGroup, FeatureVersion
from catalog.sizes import parse_size
from catalog.value_types import ValueType
from serving.access_log import ReadFeatures
from serving.clearance import ColumnMask, masks_for
from serving.entity_rows import EntityShape
from serving.kept_answers import AnswerRoom, PlanAnswers
from serving.resolving import Resolved, asked_for, entity_shapes, resolve_for_reading

_MICROSECOND = timedelta(microseconds=1)


class Place(NamedTuple):
    """Where the value of a feature comes from: which of the plan's groups, and whether a mask hides it."""

    group: int
    masked: bool


class GroupPlan(NamedTuple):
    """The features of one group, which come from the same row.

    Of each in turn the value column and what stands in where no row counts; ``masks`` are those of some of them, by
    their number here.
    """

    group_id: int
    entity: str
    max_age_us: int | None
    value_columns: tuple[str, ...]
    stand_ins: tuple[Any, ...]
    masks: tuple[tuple[int, ColumnMask], ...]

    def values_in(self, row: Mapping[str, Any]) -> Sequence[Any]:
        """What the reader sees of the values of a row, in the order of the value columns."""
        values = list(map(row.get, self.value_columns))
        for number, mask in self.masks:
            values[number] = mask.of(values[number])
        return values


@dataclass(frozen=True, slots=True)
class OnlinePlan:
    """The features in the order asked for, and by group; ``read`` is what the access log says of them.

    ``order`` are the numbers that the features asked for have when they are counted group by group; None where that is
    the order asked for. ``times`` are the places of the values that are times, unless a mask has made text of them.
    ``kept`` are the answers by this plan that the process keeps; None where nothing is kept.
    """

    features: Resolved
    references: tuple[str, ...]
    versions: tuple[str, ...]
    places: tuple[Place, ...]
    masks: tuple[ColumnMask | None, ...]
    order: tuple[int, ...] | None
    shapes: tuple[EntityShape, ...]
    groups: tuple[GroupPlan, ...]
    read: ReadFeatures
    times: frozenset[int]
    group_ids: tuple[int, ...]
    kept: PlanAnswers | None = field(default=None, compare=False)

    def as_asked(self, by_group: list[Any]) -> list[Any]:
        """The values that were put together group by group, in the order of the features."""
        return by_group if self.order is None else [by_group[number] for number in self.order]


def plan_online_read(*, user: Reader, features: object = None, service: object = None) -> OnlinePlan:
    """The plan for reading feature references, or the features of a service, as ``user`` may see them.

    :raises FeatureStoreError: as :func:`serving.resolving.resolve_for_reading` does.
    """
    key = (*asked_for(features, service), capabilities_of(user), granted_groups(user))
    return _plans.get(
        key, lambda: _keeping(key, _planned(user, resolve_for_reading(user=user, features=features, service=service)))
    )


def room_for_answers() -> int:
    """How many bytes all kept answers of the process may take; 0 where the configuration turns keeping off."""
    configuration = settings.FEATURESTORE
    performance = configuration.performance
    keeps = performance.query_caching and configuration.feature_store.cache_enabled
    return _size(performance.online_answer_memory) if keeps and configuration.serving.max_cache_size else 0


def _keeping(key: Hashable, plan: OnlinePlan) -> OnlinePlan:
    """The plan with the answers that are kept of an equal one; plans are made anew more often than they change."""
    if not room_for_answers():
        return plan
    # Written out, since 1, 1.0 and True are equal but not the same answer.
    facts = repr((plan.references, plan.read.ids, plan.versions, plan.places, plan.shapes, plan.groups, plan.times))
    return replace(plan, kept=_kept.of_plan(key, facts, most=settings.FEATURESTORE.serving.max_cache_size))


def _planned(user: Reader, resolved: Resolved) -> OnlinePlan:
    versions = [item.version for item in resolved]
    masks = masks_for(user=user, resolved=resolved)
    groups = {version.feature.group_id: version.feature.group for version in versions}
    members = {
        group_id: [position for position, version in enumerate(versions) if version.feature.group_id == group_id]
        for group_id in groups
    }
    by_group = {
        position: number for number, position in enumerate(position for group in members.values() for position in group)
    }
    numbers = {group_id: number for number, group_id in enumerate(groups)}
    return OnlinePlan(
        features=resolved,
        references=tuple(item.reference for item in resolved),
        versions=tuple(version.number for version in versions),
        places=tuple(
            Place(group=numbers[version.feature.group_id], masked=mask is not None)
            for version, mask in zip(versions, masks, strict=True)
        ),
        masks=tuple(masks),
        order=None if list(by_group) == sorted(by_group) else tuple(by_group[at] for at in range(len(by_group))),
        shapes=entity_shapes(resolved),
        groups=tuple(
            _group_plan(group, [(versions[position], masks[position]) for position in members[group_id]])
            for group_id, group in groups.items()
        ),
        read=ReadFeatures.of(resolved),
        times=frozenset(
            position
            for position, (version, mask) in enumerate(zip(versions, masks, strict=True))
            if version.data_type == ValueType.TIMESTAMP and (mask is None or mask.mask != Mask.HASH)
        ),
        group_ids=tuple(groups),
    )


def _group_plan(group: FeatureGroup, members: Sequence[tuple[FeatureVersion, ColumnMask | None]]) -> GroupPlan:
    return GroupPlan(
        group_id=group.pk,
        entity=group.entity.name,
        max_age_us=None if group.max_age is None else group.max_age // _MICROSECOND,
        value_columns=tuple(version.value_column for version, _ in members),
        stand_ins=tuple(
            version.default_value if mask is None else mask.of(version.default_value) for version, mask in members
        ),
        masks=tuple((number, mask) for number, (_, mask) in enumerate(members) if mask is not None),
    )


_size = lru_cache(maxsize=8)(parse_size)
_kept = AnswerRoom()
_plans: KeptWhileUnchanged[OnlinePlan] = KeptWhileUnchanged()

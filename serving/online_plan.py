"""What an online read of some features needs to know of the catalog, worked out once for everybody with equal rights.

A plan holds where each value lies, how old it may be, what stands in for it and through which mask it is seen, so
that a request parses no reference and asks the catalog nothing. It is kept while the catalog stays the same.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings

from catalog.access import Reader, capabilities_of
from catalog.declarations import Mask
from catalog.disclosure import granted_groups
from catalog.generation import KeptWhileUnchanged
from catalog.sizes import parse_size
from catalog.value_types import ValueType
from serving.access_log import ReadFeatures
from serving.clearance import ColumnMask, masks_for
from serving.entity_rows import EntityShape
from serving.kept_answers import AnswerRoom, PlanAnswers
from serving.resolving import Resolved, asked_for, entity_shapes, resolve_for_reading

_MICROSECOND = timedelta(microseconds=1)


class ColumnPlan(NamedTuple):
    """One feature: its place among those asked for, its value column, and what stands in where there is no value."""

    position: int
    value_column: str
    stand_in: Any
    mask: ColumnMask | None


class Place(NamedTuple):
    """Where the value of a feature comes from: which of the plan's groups, and whether a mask hides it."""

    group: int
    masked: bool


class GroupPlan(NamedTuple):
    """The features of one group, which come from the same row."""

    group_id: int
    entity: str
    max_age_us: int | None
    columns: tuple[ColumnPlan, ...]


@dataclass(frozen=True, slots=True)
class OnlinePlan:
    """The features in the order asked for, and by group; ``read`` is what the access log says of them.

    ``times`` are the places of the values that are times, unless a mask has made text of them. ``kept`` are the answers
    by this plan that the process keeps; None where nothing is kept.
    """

    features: Resolved
    references: tuple[str, ...]
    versions: tuple[str, ...]
    places: tuple[Place, ...]
    shapes: tuple[EntityShape, ...]
    groups: tuple[GroupPlan, ...]
    read: ReadFeatures
    times: frozenset[int]
    group_ids: tuple[int, ...]
    kept: PlanAnswers | None = field(default=None, compare=False)

    def mask_of(self, position: int) -> ColumnMask | None:
        """The mask of the feature at that place among those asked for."""
        columns = self.groups[self.places[position].group].columns
        return next(column.mask for column in columns if column.position == position)


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
    groups = {version.feature.group_id: version.feature.group for version in versions}
    columns: dict[int, list[ColumnPlan]] = {group_id: [] for group_id in groups}
    masks = masks_for(user=user, resolved=resolved)
    for position, (version, mask) in enumerate(zip(versions, masks, strict=True)):
        default = version.default_value
        stand_in = default if mask is None else mask.of(default)
        columns[version.feature.group_id].append(ColumnPlan(position, version.value_column, stand_in, mask))
    order = list(groups)
    return OnlinePlan(
        features=resolved,
        references=tuple(item.reference for item in resolved),
        versions=tuple(version.number for version in versions),
        places=tuple(
            Place(group=order.index(version.feature.group_id), masked=mask is not None)
            for version, mask in zip(versions, masks, strict=True)
        ),
        shapes=entity_shapes(resolved),
        groups=tuple(
            GroupPlan(
                group_id=group_id,
                entity=group.entity.name,
                max_age_us=None if group.max_age is None else group.max_age // _MICROSECOND,
                columns=tuple(columns[group_id]),
            )
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


_size = lru_cache(maxsize=8)(parse_size)
_kept = AnswerRoom()
_plans: KeptWhileUnchanged[OnlinePlan] = KeptWhileUnchanged()

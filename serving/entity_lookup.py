"""All features of one entity: what is served now, and what history answers at an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from catalog.access import Reader
from catalog.arrow_types import arrow_type
from catalog.errors import InvalidInput
from catalog.models import Entity, Feature, FeatureGroup, FeatureVersion, Status
from catalog.models.feature import FeatureQuerySet
from catalog.references import ResolvedFeature
from catalog.wording import gettext as _
from serving.clearance import masks_for
from serving.documents import json_column
from serving.entity_rows import EntityRow
from serving.explanation import Candidate, Rule, explain
from serving.models.fields import from_microseconds, to_microseconds
from serving.online_plan import plan_online_read
from serving.online_reads import OnlineValue, ValueStatus, read_online
from serving.point_in_time.eligibility import ARRIVAL, CREATED, ENTITY_KEY, EVENT, RUN
from serving.stores.offline import open_history

LEAST_PURPOSE, LONGEST_PURPOSE = 3, 200
_MICROSECOND = timedelta(microseconds=1)
_TIMES = (EVENT, CREATED, ARRIVAL)


class Agreement(StrEnum):
    """How the value that is served now stands to what history answers at the instant."""

    SAME = "same"
    CHANGED = "changed"  # the instant is past, and the value has moved since
    DIFFERS = "differs"  # of the present instant, the two stores do not agree
    NOT_COMPARED = "not_compared"  # masked, or one of the stores is turned off


@dataclass(frozen=True)
class OfflineValue:
    """The value that history answers with, when it was true, when it was learned, and by which run."""

    value: Any
    status: ValueStatus
    event: datetime | None = None
    created: datetime | None = None
    run_id: str = ""


@dataclass(frozen=True)
class FeatureLook:
    """One feature of the entity. ``online`` or ``offline`` is None where the configuration turns that store off."""

    version: FeatureVersion
    masked: bool
    online: OnlineValue | None
    offline: OfflineValue | None
    agreement: Agreement
    at: datetime

    @property
    def age(self) -> timedelta | None:
        """How old the value was at the instant; None where nothing answers."""
        return None if self.offline is None or self.offline.event is None else self.at - self.offline.event

    @property
    def value(self) -> Any:
        """The value at the instant: that of history, or where history is turned off the one that is served."""
        if self.offline is not None:
            return self.offline.value
        return None if self.online is None else self.online.value


def checked_purpose(text: str) -> str:
    """Why somebody looks an entity up, as the access log keeps it.

    :raises InvalidInput: when nothing, or too much, is said, or what not every database can keep.
    """
    purpose = " ".join(text.split())
    if "\0" in purpose:
        raise InvalidInput(_("purpose holds a null character"), details={"field": "purpose"})
    if not LEAST_PURPOSE <= len(purpose) <= LONGEST_PURPOSE:
        raise InvalidInput(
            _(
                "say what you look the entity up for, in %(least_purpose)s to %(longest_purpose)s "
                "characters: the access log keeps it"
            )
            % {"least_purpose": LEAST_PURPOSE, "longest_purpose": LONGEST_PURPOSE},
            details={"field": "purpose"},
        )
    return purpose


def features_to_look_up(entity: Entity, *, user: Reader) -> FeatureQuerySet:
    """The features of ``entity`` that are served and that ``user`` may know of, by group and name."""
    visible: FeatureQuerySet = Feature.objects.visible_to(user)
    served = visible.exclude(status=Status.ARCHIVED).exclude(group__status=Status.ARCHIVED)
    in_use = served.filter(entity=entity, default_version__isnull=False).exclude(
        default_version__status=Status.ARCHIVED
    )
    return in_use.select_related("group", "entity", "default_version__latest_profile").order_by("group__name", "name")


def look_up_entity(
    features: Sequence[Feature], *, entity: EntityRow, at: datetime, now: datetime, user: Reader
) -> list[FeatureLook]:
    """The default versions of ``features`` for one entity, masked as ``user`` may see them, in order.

    Online is read once; of history one row per group and key is chosen by the rules of the point-in-time join.
    """
    resolved = [_resolved(feature) for feature in features]
    if not resolved:
        return []
    masks = masks_for(user=user, resolved=resolved)
    online = _online(resolved, entity=entity, now=now, user=user)
    offline = _offline(resolved, entity=entity, at=at)
    looks = []
    for item, mask in zip(resolved, masks, strict=True):
        version = item.version
        served, kept = online.get(item.reference), offline.get(version.pk)
        agreement = Agreement.NOT_COMPARED
        if mask is None and served is not None and kept is not None:
            past = Agreement.CHANGED if at < now else Agreement.DIFFERS
            agreement = Agreement.SAME if served.value == kept.value else past
        if mask is not None and kept is not None:
            status = ValueStatus.MASKED if kept.event is not None else kept.status
            kept = OfflineValue(mask.of(kept.value), status, kept.event, kept.created, kept.run_id)
        looks.append(FeatureLook(version, mask is not None, served, kept, agreement, at))
    return looks


def _resolved(feature: Feature) -> ResolvedFeature:
    version = feature.default_version
    assert version is not None  # Those without one are not looked up.
    version.feature = feature
    return ResolvedFeature(f"{feature.group.name}:{feature.name}@{version.number}", version)


def _online(
    resolved: Sequence[ResolvedFeature], *, entity: EntityRow, now: datetime, user: Reader
) -> dict[str, OnlineValue]:
    if not settings.FEATURESTORE.serving.online_store_enabled:
        return {}
    references = [item.reference for item in resolved]
    plan = plan_online_read(user=user, features=references)
    answer = read_online(plan=plan, entity_rows=[entity], at=now)
    return dict(zip(references, answer.entities[0].told(answer.plan), strict=True))


def _offline(resolved: Sequence[ResolvedFeature], *, entity: EntityRow, at: datetime) -> dict[int, OfflineValue]:
    if not settings.FEATURESTORE.serving.offline_store_enabled:
        return {}
    by_group: dict[int, list[FeatureVersion]] = defaultdict(list)
    groups: dict[int, FeatureGroup] = {}
    for item in resolved:
        group = item.version.feature.group
        groups[group.pk] = group
        by_group[group.pk].append(item.version)
    found: dict[int, OfflineValue] = {}
    for pk, group in groups.items():
        found |= _of_group(group, by_group[pk], key=entity.keys[by_group[pk][0].feature.entity.name], at=at)
    return found


def _of_group(
    group: FeatureGroup, versions: Sequence[FeatureVersion], *, key: str, at: datetime
) -> dict[int, OfflineValue]:
    history = open_history(group)
    if history is None:
        return {version.pk: OfflineValue(version.default_value, ValueStatus.NOT_FOUND) for version in versions}
    stored = set(history.dataset.schema.names)
    wanted = [name for name in dict.fromkeys(version.value_column for version in versions) if name in stored]
    names = [name for name in (*_TIMES, RUN) if name in stored]
    rows = history.dataset.to_table(columns=[*names, *wanted], filter=pc.field(ENTITY_KEY) == key)
    chosen = explain(
        _candidates(rows),
        at=to_microseconds(at),
        max_age=None if group.max_age is None else group.max_age // _MICROSECOND,
    )
    winner = chosen.winner
    if winner is None:
        too_old = any(one.rule is Rule.TOO_OLD for one in chosen.beaten)
        status = ValueStatus.OUTSIDE_MAX_AGE if too_old else ValueStatus.NOT_FOUND
        return {version.pk: OfflineValue(version.default_value, status) for version in versions}
    row = rows.slice(winner.value, 1)
    return {version.pk: _value(version, row, winner, is_stored=version.value_column in wanted) for version in versions}


def _candidates(rows: pa.Table) -> list[Candidate]:
    """The rows as they are weighed; the value of each is its place in the table."""
    absent = [None] * rows.num_rows
    times = [rows.column(name).cast(pa.int64()).to_pylist() if name in rows.column_names else absent for name in _TIMES]
    runs = rows.column(RUN).to_pylist() if RUN in rows.column_names else absent
    weighed = enumerate(zip(*times, runs, strict=True))
    return [
        Candidate(event=event, created=created, arrival=arrival, run_id=run or "", value=place)
        for place, (event, created, arrival, run) in weighed
        if event is not None
    ]


def _value(version: FeatureVersion, row: pa.Table, winner: Candidate, *, is_stored: bool) -> OfflineValue:
    value = None
    if is_stored:
        [value] = json_column(row.column(version.value_column).cast(arrow_type(version.data_type)))
    return OfflineValue(
        value=value,
        status=ValueStatus.NULL_VALUE if value is None else ValueStatus.PRESENT,
        event=from_microseconds(winner.event),
        created=None if winner.created is None else from_microseconds(winner.created),
        run_id=winner.run_id,
    )

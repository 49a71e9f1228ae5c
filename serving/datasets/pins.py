"""What a training dataset was made from, as its row keeps it: every part fixed to a version or an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from pydantic import BaseModel, ConfigDict

from catalog.errors import Conflict
from catalog.models import FeatureVersion
from catalog.references import ResolvedFeature
from serving.clearance import ColumnMask
from serving.key_map import KeyMap
from serving.masking import feature_key
from serving.point_in_time import KnownAt, KnownAtEventTime, TimeRange


class _Pin(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PinnedFeature(_Pin):
    """One column of the result. ``mask`` is how it was hidden, None where it is clear or was not built yet;
    ``mask_key`` tells whether the secret of the masks is still the same."""

    reference: str
    feature_id: str
    version_key: int
    group: str
    entity: str
    version: str
    value_column: str
    data_type: str
    default: Any = None
    mask: str | None = None
    mask_key: str = ""


class PinnedTable(_Pin):
    """The history of one group: which version of which table, and the max age that applied.

    ``version`` is None where nothing had been ingested; ``table_id`` is the identity that the table got when it
    was made.
    """

    group: str
    version: int | None
    table_id: str = ""
    max_age: timedelta | None = None


class PinnedEntity(_Pin):
    """An entity of the features, under its alias where it has one: its join keys, and the columns of the entity rows
    that hold them."""

    name: str
    join_keys: tuple[str, ...]
    columns: tuple[str, ...]


class Pins(_Pin):
    """Everything that decides the content, besides the entity rows themselves.

    ``known_at`` is the instant by which a value had to be known; with ``known_at_event_time`` it had to be known by
    the time of its entity row as well. ``at`` is the time of rows that have none.
    """

    features: tuple[PinnedFeature, ...]
    tables: tuple[PinnedTable, ...]
    entities: tuple[PinnedEntity, ...]
    key_map: dict[str, dict[str, str]] = {}
    service: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    known_at: datetime
    known_at_event_time: bool = False
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """The form in which the row keeps it."""
        return self.model_dump(mode="json")

    @classmethod
    def of(cls, spec: dict[str, Any]) -> Pins:
        """The pins that a row keeps."""
        return cls.model_validate(spec)

    @property
    def time_range(self) -> TimeRange:
        return TimeRange(start=self.start, end=self.end)

    @property
    def read_known_at(self) -> KnownAt:
        """What the join is asked."""
        return KnownAtEventTime(by=self.known_at) if self.known_at_event_time else self.known_at

    @property
    def read_key_map(self) -> KeyMap:
        return KeyMap(self.key_map)

    @property
    def table_versions(self) -> dict[str, int | None]:
        return {table.group: table.version for table in self.tables}


def resolved_from(pins: Pins) -> list[ResolvedFeature]:
    """The features as they were pinned, for the verbs that read: max age, default and type are those of then.

    :raises Conflict: when a version is no longer registered.
    """
    keys = [feature.version_key for feature in pins.features]
    stored = FeatureVersion.objects.select_related("feature__entity", "feature__group").in_bulk(keys)
    max_ages = {table.group: table.max_age for table in pins.tables}
    resolved = []
    for pinned in pins.features:
        version = stored.get(pinned.version_key)
        if version is None or version.value_column != pinned.value_column:
            raise Conflict(
                f"{pinned.feature_id} version {pinned.version} is no longer registered, so it cannot be read again",
                details={"feature_id": pinned.feature_id, "version": pinned.version},
            )
        # These objects are never saved: they carry what was pinned into the read.
        version.default_value, version.data_type = pinned.default, pinned.data_type
        version.feature.group.max_age = max_ages[pinned.group]
        resolved.append(ResolvedFeature(reference=pinned.reference, version=version))
    return resolved


def with_masks(pins: Pins, masks: Sequence[ColumnMask | None]) -> Pins:
    """The pins with how each column is masked."""
    features = tuple(
        feature.model_copy(
            update={
                "mask": None if mask is None else mask.mask,
                "mask_key": "" if mask is None else _fingerprint(mask.key),
            }
        )
        for feature, mask in zip(pins.features, masks, strict=True)
    )
    return pins.model_copy(update={"features": features})


def masks_of(pins: Pins, resolved: Sequence[ResolvedFeature]) -> list[ColumnMask | None]:
    """How each column is masked, as it was pinned."""
    return [
        None
        if pinned.mask is None
        else ColumnMask(
            mask=pinned.mask,
            data_type=pinned.data_type,
            key=feature_key(settings.SECRET_KEY, entity=pinned.entity, feature=item.version.feature.name),
        )
        for pinned, item in zip(pins.features, resolved, strict=True)
    ]


def has_other_secret(pinned: PinnedFeature, mask: ColumnMask | None) -> bool:
    """Whether the mask hides values by another secret now than it did then."""
    return mask is not None and pinned.mask_key != _fingerprint(mask.key)


def _fingerprint(key: bytes) -> str:
    return sha256(b"fingerprint\0" + key).hexdigest()[:16]

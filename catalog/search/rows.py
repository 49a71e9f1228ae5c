"""What search reads of the catalog: one row for each feature."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.models import Feature
from catalog.models.feature import FeatureQuerySet

_CHUNK = 5_000

_FIELDS = {
    "pk": "pk",
    "name": "name",
    "description": "description",
    "status": "status",
    "tier": "tier",
    "group": "group__name",
    "group_text": "group__description",
    "entity": "entity__name",
    "own_owner": "owner",
    "group_owner": "group__owner",
    "own_sensitivity": "sensitivity",
    "group_sensitivity": "group__sensitivity",
    "version_id": "default_version",
    "data_type": "default_version__data_type",
    "source_column": "default_version__source_column",
    "completeness": "default_version__latest_profile__completeness",
    "newest_event": "default_version__latest_profile__newest_event",
    "created_at": "created_at",
    "updated_at": "updated_at",
}


@dataclass(slots=True)
class FeatureRow:
    """One feature as search knows it."""

    pk: int
    name: str
    description: str
    status: str
    tier: str
    group: str
    group_text: str
    entity: str
    own_owner: str
    group_owner: str
    own_sensitivity: str
    group_sensitivity: str
    version_id: int | None
    data_type: str | None
    source_column: str | None
    completeness: float | None
    newest_event: datetime | None
    created_at: datetime
    updated_at: datetime
    tags: list[str] = field(default_factory=list)

    @property
    def owner(self) -> str:
        return self.own_owner or self.group_owner

    @property
    def sensitivity(self) -> str:
        return self.own_sensitivity or self.group_sensitivity


def read_rows(features: FeatureQuerySet) -> list[FeatureRow]:
    """The rows of ``features`` in the order of their ids, in two queries."""
    tags: dict[int, list[str]] = defaultdict(list)
    through = Feature.tags.through.objects
    every = not features.query.where
    tagged = through.all() if every else through.filter(feature_id__in=features.order_by().values("pk"))
    for feature_id, name in tagged.order_by("feature_id").values_list("feature_id", "tag__name").iterator(_CHUNK):
        tags[feature_id].append(name)
    rows = [FeatureRow(*values) for values in _values(features)]
    for row in rows:
        row.tags = sorted(tags.get(row.pk, ()))
    return rows


def _values(features: FeatureQuerySet) -> Iterator[tuple[Any, ...]]:
    yield from features.order_by("pk").values_list(*_FIELDS.values()).iterator(_CHUNK)

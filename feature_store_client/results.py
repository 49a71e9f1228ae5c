"""What the serving calls return: frozen, typed, built from the JSON of the REST API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from feature_store_client import reading


class FeatureStatus(StrEnum):
    """Why a value is what it is. Results carry the server's word; it compares equal to these."""

    PRESENT = "PRESENT"
    NULL_VALUE = "NULL_VALUE"
    NOT_FOUND = "NOT_FOUND"
    OUTSIDE_MAX_AGE = "OUTSIDE_MAX_AGE"
    MASKED = "MASKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureValue:
    """One value of one feature for one entity.

    ``entity_id`` is what the caller asked with (a mapping of join keys when asked by them), ``value`` the JSON value:
    float, int (exact at any size), str, bool, list of float, an ISO 8601 text for a timestamp, or None. Both
    timestamps are aware; they are None when the entity has no value row or the server does not tell.
    """

    entity_id: Any
    feature: str
    feature_id: str
    version: str
    value: Any
    status: str
    event_timestamp: datetime | None
    created_timestamp: datetime | None

    @classmethod
    def from_json(cls, body: Mapping[str, Any], *, entity_id: Any) -> FeatureValue:
        return cls(
            entity_id=entity_id,
            feature=str(reading.required(body, "feature")),
            feature_id=str(reading.required(body, "feature_id")),
            version=str(reading.required(body, "version")),
            value=reading.required(body, "value"),
            status=str(reading.required(body, "status")),
            event_timestamp=reading.instant(body, "event_timestamp"),
            created_timestamp=reading.instant(body, "created_timestamp"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMetadata:
    """Where one value of a feature vector comes from and why it is what it is."""

    feature_id: str
    version: str
    status: str
    event_timestamp: datetime | None
    created_timestamp: datetime | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> ValueMetadata:
        return cls(
            feature_id=str(reading.required(body, "feature_id")),
            version=str(reading.required(body, "version")),
            status=str(reading.required(body, "status")),
            event_timestamp=reading.instant(body, "event_timestamp"),
            created_timestamp=reading.instant(body, "created_timestamp"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureVector(Mapping[str, Any]):
    """The values of several features for one entity: a mapping from feature reference, as asked, to value.

    ``metadata`` has one entry per reference when it was asked for, else none. ``entity_id`` is given back by the
    server as it was sent; it is the mapping of join keys when the entity was asked by them.
    """

    entity_id: Any
    features: dict[str, Any]
    metadata: dict[str, ValueMetadata] = field(default_factory=dict)

    def __getitem__(self, reference: str) -> Any:
        try:
            return self.features[reference]
        except KeyError:
            raise KeyError(f"{reference!r} was not asked for; there are {', '.join(self.features)}") from None

    def __contains__(self, reference: object) -> bool:
        return reference in self.features

    def __iter__(self) -> Iterator[str]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def to_dict(self) -> dict[str, Any]:
        """The values as a plain dict that the caller may change."""
        return dict(self.features)

    @classmethod
    def from_json(cls, body: Mapping[str, Any], *, asked_by: Any) -> FeatureVector:
        """``asked_by`` stands in for the entity id where the answer has none (entities asked by join keys)."""
        reading.required(body, "features")
        return cls(
            entity_id=body.get("entity_id", asked_by),
            features=dict(reading.mapping(body, "features")),
            metadata={
                reference: ValueMetadata.from_json(entry)
                for reference, entry in reading.mapping(body, "metadata").items()
            },
        )

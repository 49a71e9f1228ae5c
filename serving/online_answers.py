"""The answer of an online batch as JSON has it: a row per entity, or a column per feature."""

from __future__ import annotations

from typing import Any

from serving.instants import iso_text
from serving.online_plan import OnlinePlan
from serving.online_reads import EntityAnswer, OnlineAnswer, OnlineValue


def entity_vector(plan: OnlinePlan, entity: EntityAnswer, *, include_metadata: bool) -> dict[str, Any]:
    """``{entity_id, features, metadata?}`` of one entity."""
    vector: dict[str, Any] = {
        "entity_id": entity.entity.shown,
        "features": dict(zip(plan.references, entity.values, strict=True)),
    }
    if include_metadata:
        vector["metadata"] = {
            reference: {"feature_id": feature_id, "version": version, **provenance(value)}
            for reference, feature_id, version, value in zip(
                plan.references, plan.read.ids, plan.versions, entity.told(plan), strict=True
            )
        }
    return vector


def feature_columns(answer: OnlineAnswer, *, include_metadata: bool) -> dict[str, Any]:
    """``{entity_ids, features, metadata?}`` of all entities, each feature a list in the order of the entities."""
    plan = answer.plan
    columns: dict[str, Any] = {
        "entity_ids": [entity.entity.shown for entity in answer.entities],
        "features": dict(
            zip(plan.references, zip(*(entity.values for entity in answer.entities), strict=True), strict=True)
        ),
    }
    if include_metadata:
        by_feature = zip(*(entity.told(plan) for entity in answer.entities), strict=True)
        columns["metadata"] = {
            reference: {"feature_id": feature_id, "version": version, **_provenances(values)}
            for reference, feature_id, version, values in zip(
                plan.references, plan.read.ids, plan.versions, by_feature, strict=True
            )
        }
    return columns


def provenance(value: OnlineValue) -> dict[str, Any]:
    """``{status, event_timestamp, created_timestamp}`` of one value."""
    return {
        "status": value.status.value,
        "event_timestamp": _text(value.event_us),
        "created_timestamp": _text(value.created_us),
    }


def _provenances(values: tuple[OnlineValue, ...]) -> dict[str, Any]:
    return {
        "statuses": [value.status.value for value in values],
        "event_timestamps": [_text(value.event_us) for value in values],
        "created_timestamps": [_text(value.created_us) for value in values],
    }


def _text(microseconds: int | None) -> str | None:
    return None if microseconds is None else iso_text(microseconds)

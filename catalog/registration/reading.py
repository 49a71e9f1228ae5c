"""Reads the catalog into the form in which it is compared, in a number of queries that does not grow with it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pydantic import ValidationError

from catalog.declarations import Validation
from catalog.models import Entity, Feature, FeatureGroup, FeatureService, FeatureServiceMember, FeatureVersion
from catalog.registration.known import (
    KnownCatalog,
    KnownEntity,
    KnownFeature,
    KnownGroup,
    KnownService,
    KnownVersion,
)

GROUP_FIELDS = (
    "description",
    "owner",
    "sensitivity",
    "source",
    "source_table",
    "timestamp_column",
    "created_column",
    "timezone",
    "key_map",
    "row_rules",
    "max_age",
    "retention",
    "freshness",
    "schedule",
)
FEATURE_FIELDS = ("description", "owner", "unit", "sensitivity", "tier")
DEFINITION_FIELDS = (
    "data_type",
    "source_column",
    "expression",
    "validation",
    "categories",
    "default_value",
    "mask",
    "drift_threshold",
)


def read_catalog() -> KnownCatalog:
    """All that the catalog holds now."""
    groups = list(FeatureGroup.objects.select_related("entity").prefetch_related("tags"))
    used = {group.entity_id for group in groups}
    entities = {
        entity.name: KnownEntity(entity.name, tuple(entity.join_keys), entity.description, entity.pk in used)
        for entity in Entity.objects.all()
    }
    return KnownCatalog(
        entities=entities,
        groups={group.name: _group(group) for group in groups},
        features=_features(),
        services=_services(),
    )


def _group(group: FeatureGroup) -> KnownGroup:
    fields: dict[str, Any] = {name: getattr(group, name) for name in GROUP_FIELDS}
    fields["tags"] = sorted(tag.name for tag in group.tags.all())
    return KnownGroup(group.name, group.entity.name, group.status, group.declared, fields)


def _features() -> dict[tuple[str, str], KnownFeature]:
    pinned = set(FeatureServiceMember.objects.values_list("version_id", flat=True))
    versions: dict[int, list[KnownVersion]] = defaultdict(list)
    for version in FeatureVersion.objects.all():
        versions[version.feature_id].append(_version(version, is_pinned=version.pk in pinned))
    features = Feature.objects.select_related("entity", "group", "default_version").prefetch_related("tags")
    found: dict[tuple[str, str], KnownFeature] = {}
    for feature in features:
        fields: dict[str, Any] = {name: getattr(feature, name) for name in FEATURE_FIELDS}
        fields["tags"] = sorted(tag.name for tag in feature.tags.all())
        default = feature.default_version
        found[feature.entity.name, feature.name] = KnownFeature(
            name=feature.name,
            entity=feature.entity.name,
            group=feature.group.name,
            status=feature.status,
            declared=feature.declared,
            fields=fields,
            default=None if default is None else (default.major, default.minor),
            versions=tuple(versions[feature.pk]),
        )
    return found


def _version(version: FeatureVersion, *, is_pinned: bool) -> KnownVersion:
    definition = {name: getattr(version, name) for name in DEFINITION_FIELDS}
    definition["validation"] = _complete_validation(version.validation)
    return KnownVersion(
        number=(version.major, version.minor),
        status=version.status,
        is_current=version.is_current,
        is_pinned=is_pinned,
        declared=version.declared_number,
        definition=definition,
    )


def _complete_validation(stored: dict[str, Any]) -> dict[str, Any]:
    """The stored rules with the defaults of those that are left out; rules of another shape as they are."""
    try:
        return Validation.model_validate(stored).model_dump(mode="json")
    except ValidationError:
        return stored


def _services() -> dict[str, KnownService]:
    services = FeatureService.objects.prefetch_related("members__version__feature__entity")
    return {
        service.name: KnownService(
            name=service.name,
            status=service.status,
            declared=service.declared,
            description=service.description,
            owner=service.owner,
            members=tuple(
                (
                    member.version.feature.entity.name,
                    member.version.feature.name,
                    (member.version.major, member.version.minor),
                )
                for member in service.members.all()
            ),
        )
        for service in services
    }

"""What the documentation says, gathered once for every format."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.access import Reader
from catalog.clock import now
from catalog.describing import DescribedFeature, describe_default_versions
from catalog.disclosure import SENSITIVE
from catalog.durations import format_duration
from catalog.models import Feature, FeatureGroup, FeatureServiceMember, FeatureVersion
from ingestion.extraction.request import json_value


@dataclass(frozen=True)
class DocumentedGroup:
    """A group as the documentation tells it, with its features by name."""

    name: str
    about: dict[str, Any]
    features: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Documentation:
    """All groups that the reader may know of, by name, as of ``generated_at``."""

    generated_at: datetime
    groups: tuple[DocumentedGroup, ...]

    @property
    def features(self) -> tuple[dict[str, Any], ...]:
        return tuple(feature for group in self.groups for feature in group.features)


def gather(user: Reader | None = None) -> Documentation:
    """What ``user`` may know of.

    Without a user it is for a file that stands anywhere: every group, and of confidential and personal features
    no statistics that show values. The number of queries does not grow with the features.
    """
    groups = FeatureGroup.objects.all() if user is None else FeatureGroup.objects.visible_to(user)
    features = Feature.objects.all() if user is None else Feature.objects.visible_to(user)
    described: dict[int, list[DescribedFeature]] = defaultdict(list)
    for entry in _described(list(features.with_details()), user):
        described[entry.feature.group_id].append(entry)
    numbers: dict[int, list[str]] = defaultdict(list)
    for version in FeatureVersion.objects.order_by("major", "minor"):
        numbers[version.feature_id].append(version.number)
    services: dict[int, list[str]] = defaultdict(list)
    for member in FeatureServiceMember.objects.select_related("service").order_by("service__name"):
        services[member.feature_id].append(member.service.name)
    return Documentation(
        generated_at=now(),
        groups=tuple(
            DocumentedGroup(
                name=group.name,
                about=_group(group),
                features=tuple(
                    _feature(entry, numbers[entry.feature.pk], services[entry.feature.pk])
                    for entry in sorted(described[group.pk], key=lambda entry: entry.feature.name)
                ),
            )
            for group in groups.select_related("entity").prefetch_related("tags").order_by("name")
        ),
    )


def _described(features: list[Feature], user: Reader | None) -> list[DescribedFeature]:
    if user is not None:
        return describe_default_versions(features, user=user)
    return [
        DescribedFeature(
            feature=feature, version=feature.default_version, closed=feature.effective_sensitivity in SENSITIVE
        )
        for feature in features
        if feature.default_version is not None
    ]


def _group(group: FeatureGroup) -> dict[str, Any]:
    return {
        "description": group.description,
        "entity": group.entity.name,
        "join_keys": list(group.entity.join_keys),
        "owner": group.owner,
        "status": group.status,
        "sensitivity": group.sensitivity,
        "source": group.source,
        "source_table": group.source_table,
        "timestamp_column": group.timestamp_column,
        "created_column": group.created_column,
        "schedule": group.schedule,
        "max_age": None if group.max_age is None else format_duration(group.max_age),
        "retention": None if group.retention is None else format_duration(group.retention),
        "freshness": None if group.freshness is None else format_duration(group.freshness),
        "tags": [tag.name for tag in group.tags.all()],
        "row_rules": group.row_rules,
    }


def _feature(entry: DescribedFeature, versions: list[str], services: list[str]) -> dict[str, Any]:
    feature, version = entry.feature, entry.version
    # The feature and its version are the same objects everywhere, so that nothing is read again for each row.
    version.feature = feature
    return {
        "feature_id": version.public_id,
        "name": feature.name,
        "description": feature.description or version.description,
        "feature_group": feature.group.name,
        "entity": feature.entity.name,
        "data_type": version.data_type,
        "version": version.number,
        "versions": versions,
        "source_table": feature.group.source_table,
        "source_column": version.source_column or ("" if version.expression else feature.name),
        "expression": version.expression,
        "creation_date": json_value(feature.created_at),
        "last_updated": json_value(entry.last_updated),
        "created_by": feature.created_by,
        "owner": feature.effective_owner,
        "unit": feature.unit,
        "status": feature.status,
        "sensitivity": feature.effective_sensitivity,
        "tags": sorted(tag.name for tag in feature.tags.all()),
        "categories": version.categories,
        "validation": version.validation,
        "services": services,
        "source_problem": version.source_problem,
        "newest_event": json_value(entry.newest_event),
        "statistics": _plain(entry.statistics),
        "statistics_reason": entry.statistics_reason,
        "quality_metrics": entry.quality_metrics,
        "inherited": entry.inherited or {},
    }


def _plain(statistics: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if statistics is None else {name: json_value(value) for name, value in statistics.items()}

"""What an ingestion of a group reads and checks, taken from the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from catalog.declarations import RowRule, Validation
from catalog.errors import Conflict
from catalog.models import FeatureGroup, FeatureVersion
from catalog.value_types import ValueType
from ingestion.checks import ColumnRules
from ingestion.extraction import ExtractionRequest, WantedColumn
from ingestion.models import Source


@dataclass(frozen=True)
class IngestionPlan:
    """``versions`` has one version per value column, in the order of the columns."""

    group: FeatureGroup
    source: Source
    versions: tuple[FeatureVersion, ...]
    request: ExtractionRequest
    row_rules: tuple[RowRule, ...]

    @property
    def value_columns(self) -> tuple[str, ...]:
        return tuple(version.value_column for version in self.versions)

    def rules(self, problems: dict[str, str]) -> tuple[ColumnRules, ...]:
        """The rules of every column; ``problems`` says of value columns why they have no values."""
        return tuple(column_rules(version, problems.get(version.value_column, "")) for version in self.versions)


def plan_ingestion(group: FeatureGroup) -> IngestionPlan:
    """What an ingestion of ``group`` would do now.

    :raises Conflict: when the group's source is not declared.
    """
    source = Source.objects.filter(name=group.source).first()
    if source is None:
        known = ", ".join(Source.objects.values_list("name", flat=True)) or "none"
        raise Conflict(
            f"{group.name} is read from the source {group.source!r}, which is not declared; sources: {known}",
            details={"group": group.name, "source": group.source},
        )
    versions = ingested_versions(group)
    return IngestionPlan(
        group=group,
        source=source,
        versions=versions,
        request=_request(group, source, versions),
        row_rules=tuple(RowRule.model_validate(rule) for rule in group.row_rules),
    )


def ingested_versions(group: FeatureGroup) -> tuple[FeatureVersion, ...]:
    """The versions whose values are ingested and served, one per value column, in the order of the columns."""
    found = (
        FeatureVersion.objects.ingested()
        .filter(feature__group=group)
        .select_related("feature__entity", "feature__group", "latest_profile")
    )
    return tuple(sorted(found, key=lambda version: version.value_column))


def _request(group: FeatureGroup, source: Source, versions: Sequence[FeatureVersion]) -> ExtractionRequest:
    return ExtractionRequest(
        kind=source.kind,
        location=source.location,
        table=group.source_table,
        key_columns=tuple((key, group.key_map.get(key, key)) for key in group.entity.join_keys),
        columns=tuple(
            WantedColumn(
                value_column=version.value_column,
                # A feature may have several majors at once, so what is missing is told by value column.
                name=version.value_column,
                value_type=ValueType(version.data_type),
                source_column=None if version.expression else version.source_column or version.feature.name,
                expression=version.expression or None,
            )
            for version in versions
        ),
        timestamp_column=group.timestamp_column or None,
        created_column=group.created_column or None,
        timezone=group.timezone or None,
        batch_rows=settings.FEATURESTORE.ingestion.batch_size,
    )


def column_rules(version: FeatureVersion, source_problem: str = "") -> ColumnRules:
    """The declared rules of a version as the checks take them."""
    rules = Validation.model_validate(version.validation)
    return ColumnRules(
        value_column=version.value_column,
        name=version.feature.name,
        value_type=ValueType(version.data_type),
        min_value=rules.min_value,
        max_value=rules.max_value,
        pattern=rules.pattern,
        categories=None if version.categories is None else tuple(version.categories),
        nullable=rules.nullable,
        unique=rules.unique,
        severity=rules.severity,
        is_default=version.pk == version.feature.default_version_id,
        source_problem=source_problem,
    )

"""The rules that the catalog declares, and the columns that they need, as plain values."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.declarations import RowRule, Validation
from catalog.models import FeatureGroup, FeatureVersion
from catalog.value_types import ValueType
from ingestion.checks.rules import ColumnRules
from ingestion.extraction.request import WantedColumn


def column_rules(version: FeatureVersion, *, source_problem: str | None = None) -> ColumnRules:
    """The rules of a feature version; ``source_problem`` is that of the version unless another is given."""
    validation = Validation.model_validate(version.validation)
    return ColumnRules(
        value_column=version.value_column,
        name=version.feature.name,
        value_type=ValueType(version.data_type),
        min_value=validation.min_value,
        max_value=validation.max_value,
        pattern=validation.pattern,
        categories=None if version.categories is None else tuple(version.categories),
        nullable=validation.nullable,
        unique=validation.unique,
        severity=validation.severity,
        is_default=_is_default_major(version),
        source_problem=version.source_problem if source_problem is None else source_problem,
    )


def row_rules(group: FeatureGroup) -> tuple[RowRule, ...]:
    """The row-level rules of a group."""
    return tuple(RowRule.model_validate(rule) for rule in group.row_rules)


def wanted_columns(versions: Iterable[FeatureVersion]) -> tuple[WantedColumn, ...]:
    """What has to be read for these versions."""
    return tuple(
        WantedColumn(
            value_column=version.value_column,
            name=version.feature.name,
            value_type=ValueType(version.data_type),
            source_column=version.source_column or None,
            expression=version.expression or None,
        )
        for version in versions
    )


def _is_default_major(version: FeatureVersion) -> bool:
    default = version.feature.default_version
    return default is None or default.major == version.major

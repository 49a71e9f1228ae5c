"""What a team declares in the configuration: entities, feature groups, features (pure: no Django).

The same objects are read from ``config_step7.yaml`` and compared with the catalog by
:mod:`catalog.registration`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from catalog.durations import parse_duration
from catalog.value_types import NUMERIC_TYPES, ValueType

NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
VERSION = re.compile(r"(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})")


class Severity(StrEnum):
    """What happens to a row that breaks a rule."""

    WARN = "warn"  # kept and flagged
    REJECT = "reject"  # quarantined with its reasons
    FAIL = "fail"  # the whole run fails and writes nothing


class Sensitivity(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"


class Mask(StrEnum):
    NULL = "null"
    HASH = "hash"
    PARTIAL = "partial"
    BUCKET = "bucket"


class Tier(StrEnum):
    """How far a feature may be relied on."""

    EXPERIMENTAL = "experimental"  # may change or go any day
    STANDARD = "standard"
    CERTIFIED = "certified"  # a steward vouches for it


def checked_name(value: str) -> str:
    """A name of the catalog as it must be written.

    :raises ValueError: when it has other characters than a-z, 0-9 and underscore, or is too long.
    """
    if not NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a name; use a-z, 0-9 and _, starting with a letter, at most 100 long")
    return value


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _version_text(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value}" if "." in f"{value}" else f"{value}.0"
    return value


Name = Annotated[str, Field(min_length=1)]
Span = Annotated[timedelta, BeforeValidator(_duration)]


class Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EntityDeclaration(Declaration):
    join_keys: tuple[Name, ...] = Field(min_length=1, strict=False)
    description: str = ""


class Validation(Declaration):
    """The rules of one feature; a value that is null is checked by ``nullable`` only."""

    min_value: float | None = None
    max_value: float | None = None
    pattern: str | None = None
    nullable: bool = True
    unique: bool = False
    severity: Annotated[Severity, Field(strict=False)] = Severity.WARN

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"{value!r} is not a regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Validation:
        if self.min_value is not None and self.max_value is not None and self.min_value > self.max_value:
            raise ValueError(f"min_value {self.min_value:g} is above max_value {self.max_value:g}")
        return self


class RowRule(Declaration):
    """A row-level rule: an SQL expression over the group's features that must not be false."""

    name: Name
    expression: str
    severity: Annotated[Severity, Field(strict=False)] = Severity.WARN
    description: str = ""


class FeatureDeclaration(Declaration):
    name: Name
    type: Annotated[ValueType, Field(strict=False)]
    description: str = ""
    source_column: str | None = None
    expression: str | None = None
    version: Annotated[str, BeforeValidator(_version_text)] = "1.0"
    tags: tuple[str, ...] = Field(default=(), strict=False)
    categories: tuple[str, ...] | None = Field(default=None, strict=False)
    validation: Validation = Validation()
    is_primary_key: bool = False
    unit: str = ""
    default: Any = None
    sensitivity: Annotated[Sensitivity | None, Field(strict=False)] = None
    mask: Annotated[Mask | None, Field(strict=False)] = None
    owner: str | None = None
    tier: Annotated[Tier | None, Field(strict=False)] = None
    drift_threshold: float | None = Field(default=None, gt=0)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        return checked_name(value)

    @field_validator("version")
    @classmethod
    def _version(cls, value: str) -> str:
        if not VERSION.fullmatch(value):
            raise ValueError(f'{value!r} is not a version; write major.minor in quotes, such as "1.0"')
        return value

    @model_validator(mode="after")
    def _consistent(self) -> FeatureDeclaration:
        bounds = self.validation.min_value is not None or self.validation.max_value is not None
        if bounds and self.type not in NUMERIC_TYPES:
            raise ValueError(f"min_value and max_value need a numeric type, and {self.name} is {self.type.value}")
        if self.categories is not None and self.type is not ValueType.STRING:
            raise ValueError(f"categories need the type string, and {self.name} is {self.type.value}")
        if self.source_column is not None and self.expression is not None:
            raise ValueError(f"{self.name} has both source_column and expression; keep one")
        return self

    @property
    def column(self) -> str:
        """The column of the source that holds it."""
        return self.source_column or self.name


class GroupDeclaration(Declaration):
    description: str = ""
    source: str = "warehouse"
    source_table: str
    features: tuple[FeatureDeclaration, ...] = Field(min_length=1, strict=False)
    entity: str | None = None
    join_keys: tuple[Name, ...] | None = Field(default=None, strict=False)
    timestamp_column: str | None = None
    created_column: str | None = None
    timezone: str = "UTC"
    max_age: Span | Literal["default"] | None = "default"
    retention: Span | None = None
    freshness: Span | None = None
    owner: str = ""
    tags: tuple[str, ...] = Field(default=(), strict=False)
    sensitivity: Annotated[Sensitivity, Field(strict=False)] = Sensitivity.INTERNAL
    schedule: str | None = None
    key_map: dict[str, str] = Field(default_factory=dict)
    rules: tuple[RowRule, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _no_name_twice(self) -> GroupDeclaration:
        for what, names in (("feature", [f.name for f in self.features]), ("rule", [r.name for r in self.rules])):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what} {', '.join(twice)} is declared twice")
        return self

    @property
    def primary_keys(self) -> tuple[FeatureDeclaration, ...]:
        return tuple(feature for feature in self.features if feature.is_primary_key)

    @property
    def value_features(self) -> tuple[FeatureDeclaration, ...]:
        """The features that are not part of the key."""
        return tuple(feature for feature in self.features if not feature.is_primary_key)


class ServiceDeclaration(Declaration):
    features: tuple[str, ...] = Field(min_length=1, strict=False)
    description: str = ""
    owner: str = ""


class CatalogDeclaration(Declaration):
    """All that ``apply`` compares with the catalog."""

    entities: dict[str, EntityDeclaration] = Field(default_factory=dict)
    groups: dict[str, GroupDeclaration]
    services: dict[str, ServiceDeclaration] = Field(default_factory=dict)

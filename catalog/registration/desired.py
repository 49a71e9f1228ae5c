"""The catalog as a declaration wants it (pure: no Django)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.declarations import (
    CatalogDeclaration,
    EntityDeclaration,
    FeatureDeclaration,
    GroupDeclaration,
    ServiceDeclaration,
)
from catalog.expressions import columns_of, parse_expression
from catalog.registration.entity_inference import infer_entities
from catalog.registration.faults import Faults, did_you_mean
from catalog.registration.known import KnownCatalog, Number
from catalog.registration.policy import Policy
from catalog.value_types import ValueType

# What a row of an answer or of a table already has under its own name.
RESERVED_NAMES = frozenset({"entity_key", "entity_id", "event_timestamp", "created_timestamp", "run_id", "arrival"})


@dataclass(frozen=True)
class DesiredFeature:
    """``fields`` describe the feature (tags among them); ``definition`` is what a version is made of."""

    name: str
    entity: str
    group: str
    number: Number
    fields: Mapping[str, Any]
    definition: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Where the configuration declares it."""
        return f"features.{self.group}.{self.name}"

    @property
    def reference(self) -> str:
        return f"{self.group}:{self.name}"


@dataclass(frozen=True)
class DesiredGroup:
    name: str
    entity: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Desired:
    entities: Mapping[str, EntityDeclaration]
    groups: tuple[DesiredGroup, ...]
    features: tuple[DesiredFeature, ...]
    services: Mapping[str, ServiceDeclaration]


def desired_catalog(declaration: CatalogDeclaration, *, known: KnownCatalog, policy: Policy, faults: Faults) -> Desired:
    """What the catalog should hold; what is wrong with the declaration by itself goes to ``faults``."""
    inferred = infer_entities(
        declaration, known={name: entity.join_keys for name, entity in known.entities.items()}, faults=faults
    )
    groups: list[DesiredGroup] = []
    features: list[DesiredFeature] = []
    for name, group in declaration.groups.items():
        entity = inferred.entity_of.get(name)
        if entity is None:
            continue
        fields = _group_fields(group, inferred.key_maps[name], policy, policy.timezones.get(name, group.timezone))
        groups.append(DesiredGroup(name=name, entity=entity, fields=fields))
        taken = RESERVED_NAMES | set(inferred.entities[entity].join_keys)
        features += _features(name, group, entity, taken, faults)
        _check_rules(name, group, faults)
    _check_names(features, known, faults)
    return Desired(
        entities=inferred.entities, groups=tuple(groups), features=tuple(features), services=declaration.services
    )


def _group_fields(
    group: GroupDeclaration, key_map: dict[str, str], policy: Policy, timezone: str | None
) -> dict[str, Any]:
    return {
        "description": group.description,
        "owner": group.owner,
        "sensitivity": group.sensitivity.value,
        "source": group.source,
        "source_table": group.source_table,
        "timestamp_column": group.timestamp_column or "",
        "created_column": group.created_column or "",
        "timezone": timezone or "",
        "key_map": key_map,
        "row_rules": [rule.model_dump(mode="json") for rule in group.rules],
        "max_age": policy.default_max_age if group.max_age == "default" else group.max_age,
        "retention": group.retention,
        "freshness": group.freshness,
        "schedule": group.schedule or "",
        "tags": _tags(group.tags),
    }


def _features(
    group_name: str, group: GroupDeclaration, entity: str, taken: set[str] | frozenset[str], faults: Faults
) -> Iterator[DesiredFeature]:
    for declared in group.value_features:
        major, minor = declared.version.split(".")
        feature = DesiredFeature(
            name=declared.name,
            entity=entity,
            group=group_name,
            number=(int(major), int(minor)),
            fields={
                "description": declared.description,
                "owner": declared.owner or "",
                "unit": declared.unit,
                "sensitivity": declared.sensitivity.value if declared.sensitivity else "",
                "tags": _tags(declared.tags),
                # A tier that is not declared is given by hand, and stays.
                **({"tier": declared.tier.value} if declared.tier else {}),
            },
            definition=_definition(declared),
        )
        if declared.name in taken:
            faults.add(feature.key, f"{declared.name} is the name of a key or of a column that every answer has")
        if declared.expression is not None:
            try:
                parse_expression(declared.expression)
            except ValueError as error:
                faults.add(f"{feature.key}.expression", str(error))
        if problem := _default_problem(declared):
            faults.add(f"{feature.key}.default", problem)
        yield feature


def _definition(declared: FeatureDeclaration) -> dict[str, Any]:
    return {
        "data_type": declared.type.value,
        "source_column": "" if declared.expression is not None else declared.column,
        "expression": declared.expression or "",
        "validation": declared.validation.model_dump(mode="json"),
        "categories": None if declared.categories is None else list(declared.categories),
        "default_value": declared.default,
        "mask": declared.mask.value if declared.mask else "",
        "drift_threshold": declared.drift_threshold,
    }


_DEFAULTS: dict[ValueType, tuple[type, ...]] = {
    ValueType.FLOAT: (float, int),
    ValueType.INTEGER: (int,),
    ValueType.STRING: (str,),
    ValueType.BOOLEAN: (bool,),
    ValueType.TIMESTAMP: (str,),
    ValueType.FLOAT_LIST: (list,),
}


def _default_problem(declared: FeatureDeclaration) -> str:
    value = declared.default
    if value is None:
        return ""
    wanted = _DEFAULTS[declared.type]
    fits = isinstance(value, wanted) and (declared.type is ValueType.BOOLEAN or not isinstance(value, bool))
    if fits and declared.type is ValueType.FLOAT_LIST:
        fits = all(isinstance(item, (float, int)) and not isinstance(item, bool) for item in value)
    if not fits:
        return f"{value!r} is not of the type {declared.type.value}"
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return "must be a finite number; leave it out for null"
    return ""


def _tags(tags: tuple[str, ...]) -> list[str]:
    return sorted({tag.strip().lower() for tag in tags if tag.strip()})


def _check_rules(name: str, group: GroupDeclaration, faults: Faults) -> None:
    names = {feature.name for feature in group.features}
    for rule in group.rules:
        key = f"features.{name}.rules.{rule.name}"
        try:
            used = columns_of(rule.expression)
        except ValueError as error:
            faults.add(key, str(error))
            continue
        if not used:
            faults.add(key, f"{rule.expression!r} uses no feature of the group, so it says nothing about its rows")
        for column in used:
            if column not in names:
                faults.add(key, f"{column!r} is not a feature of the group{did_you_mean(column, names)}")


def _check_names(features: list[DesiredFeature], known: KnownCatalog, faults: Faults) -> None:
    """Names are unique per entity, stay in their group, and no two features share a feature id.

    Two features of one group never share a value column: what follows the last ``_v`` is the major, the rest
    is the name.
    """
    by_name: dict[tuple[str, str], DesiredFeature] = {}
    ids = {f"{entity}_{name}": (entity, name) for entity, name in known.features}
    for feature in features:
        place = (feature.entity, feature.name)
        if place in by_name:
            faults.add(
                feature.key,
                f"{feature.name} is also declared in {by_name[place].group}; a name is used once per entity "
                f"({feature.entity}), so give one of them another",
            )
            continue
        by_name[place] = feature
        other = ids.setdefault(f"{feature.entity}_{feature.name}", place)
        if other != place:
            faults.add(
                feature.key,
                f"would have the same feature id as {other[1]} of the entity {other[0]}; give it another name",
            )
    for place, feature in by_name.items():
        before = known.features.get(place)
        if before is not None and before.group != feature.group:
            faults.add(
                feature.key,
                f"{feature.name} belongs to the group {before.group}, where its values are kept; "
                f"leave it there, or give the one in {feature.group} another name",
            )

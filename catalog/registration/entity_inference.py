"""Which entity each declared group describes (pure: no Django).

A group says its entity, or its key does: ``customer_id`` identifies a ``customer``. A group that says neither
describes the only entity there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.declarations import NAME, CatalogDeclaration, EntityDeclaration, GroupDeclaration
from catalog.registration.faults import Faults, did_you_mean


@dataclass(frozen=True)
class InferredEntities:
    """The entities of a declaration, and for each group its entity's name and its key columns in the source."""

    entities: dict[str, EntityDeclaration]
    entity_of: dict[str, str]
    key_maps: dict[str, dict[str, str]]


def entity_name_of(join_keys: Sequence[str]) -> str:
    """``customer_id`` → ``customer``; several keys are joined by an underscore."""
    return "_".join(key.lower().removesuffix("_id") or key.lower() for key in join_keys)


def infer_entities(
    declaration: CatalogDeclaration, *, known: Mapping[str, Sequence[str]], faults: Faults
) -> InferredEntities:
    """The entity of every group; ``known`` are the entities of the catalog with their join keys.

    A group whose entity cannot be told is added to ``faults`` and left out.
    """
    entities = dict(declaration.entities)
    for name, entity in entities.items():
        if not NAME.fullmatch(name):
            faults.add(f"entities.{name}", "is not a name; use a-z, 0-9 and _, starting with a letter")
        if len(set(entity.join_keys)) < len(entity.join_keys):
            faults.add(f"entities.{name}.join_keys", "names a join key twice")
    entity_of: dict[str, str] = {}
    undecided: list[str] = []
    for name, group in declaration.groups.items():
        keys = _keys_of(name, group, faults)
        if keys is None:
            undecided.append(name)
            continue
        entity_keys = _entity_keys(group, keys)
        chosen = group.entity or _with_keys(entity_keys, entities) or entity_name_of(entity_keys)
        if chosen not in entities:
            if not NAME.fullmatch(chosen):
                faults.add(f"features.{name}", f"the key {', '.join(keys)} gives no name of an entity; add entity:")
                continue
            entities[chosen] = EntityDeclaration(join_keys=_known_order(known.get(chosen), entity_keys))
        entity_of[name] = chosen
    for name in undecided:
        found = _entity_without_keys(name, declaration.groups[name], entities, known, faults)
        if found is not None:
            entity_of[name] = found
    key_maps = {
        name: _key_map(name, declaration.groups[name], entities[entity], faults) for name, entity in entity_of.items()
    }
    return InferredEntities(entities=entities, entity_of=entity_of, key_maps=key_maps)


def _keys_of(name: str, group: GroupDeclaration, faults: Faults) -> tuple[str, ...] | None:
    primary = tuple(feature.name for feature in group.primary_keys)
    for feature in group.primary_keys:
        if feature.expression is not None:
            faults.add(f"features.{name}.{feature.name}", "is part of the key and so cannot be an expression")
    if group.join_keys is None:
        return primary or None
    if len(set(group.join_keys)) < len(group.join_keys):
        faults.add(f"features.{name}.join_keys", "names a join key twice")
    if primary and set(primary) != set(group.join_keys):
        faults.add(
            f"features.{name}.join_keys",
            f"says {', '.join(group.join_keys)}, and the features with is_primary_key are {', '.join(primary)}; "
            "let both name the same",
        )
    return group.join_keys


def _entity_keys(group: GroupDeclaration, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The group's keys by the entity's names for them: ``key_map`` says where a column has another."""
    by_column = {column: key for key, column in group.key_map.items()}
    return tuple(by_column.get(key, key) for key in keys)


def _with_keys(keys: tuple[str, ...], entities: Mapping[str, EntityDeclaration]) -> str | None:
    fitting = [name for name, entity in entities.items() if set(entity.join_keys) == set(keys)]
    return fitting[0] if len(fitting) == 1 else None


def _known_order(known: Sequence[str] | None, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The order of the catalog where it has the same keys, as it is the order of the stored entity keys."""
    return tuple(known) if known is not None and set(known) == set(keys) else keys


def _entity_without_keys(
    name: str,
    group: GroupDeclaration,
    entities: dict[str, EntityDeclaration],
    known: Mapping[str, Sequence[str]],
    faults: Faults,
) -> str | None:
    choices = sorted({*entities, *known})
    wanted = group.entity
    if wanted is None and len(entities or known) == 1:
        wanted = next(iter(entities or known))
    if wanted is None:
        listed = f"choose one of {', '.join(choices)}" if choices else "no entity is declared"
        faults.add(
            f"features.{name}", f"does not say what it describes; {listed}: add entity:, join_keys: or is_primary_key"
        )
        return None
    if wanted not in entities:
        if wanted not in known:
            near = did_you_mean(wanted, choices)
            faults.add(
                f"features.{name}.entity",
                f"{wanted!r} is not declared{near or '; declare it under entities: or give the group join_keys:'}",
            )
            return None
        entities[wanted] = EntityDeclaration(join_keys=tuple(known[wanted]))
    return wanted


def _key_map(name: str, group: GroupDeclaration, entity: EntityDeclaration, faults: Faults) -> dict[str, str]:
    """Join key → column of the source, for the keys whose column has another name."""
    for key in group.key_map:
        if key not in entity.join_keys:
            faults.add(
                f"features.{name}.key_map.{key}",
                f"is not a join key of its entity, whose join keys are {', '.join(entity.join_keys)}",
            )
    keys = group.join_keys or tuple(feature.name for feature in group.primary_keys)
    columns = {key: group.key_map.get(key, key) for key in entity.join_keys}
    if keys and set(keys) != set(entity.join_keys) and set(keys) != set(columns.values()):
        faults.add(
            f"features.{name}.join_keys",
            f"{', '.join(keys)} are not the join keys of its entity, {', '.join(entity.join_keys)}; "
            "say with key_map: which column holds which",
        )
    for feature in group.primary_keys:
        if feature.source_column is None:
            continue
        for key in entity.join_keys:
            if feature.name in (key, columns[key]) and key not in group.key_map:
                columns[key] = feature.source_column
    if len(set(columns.values())) < len(columns):
        faults.add(f"features.{name}.key_map", "reads two join keys from the same column")
    return {key: column for key, column in columns.items() if column != key}

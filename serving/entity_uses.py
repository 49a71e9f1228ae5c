"""Whose values each feature of a historical read gives, and which columns of the entity rows say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from catalog.errors import InvalidInput
from catalog.references import ResolvedFeature
from serving.entity_rows import EntityShape
from serving.key_map import KeyMap
from serving.wire.entity_frame import EntityFrame

ENTITY_ID = "entity_id"


@dataclass(frozen=True)
class EntityUse:
    """One entity as a request asks for it: plainly, or under an alias.

    ``columns`` are those of the entity rows with its join keys, in their order, where the key map names them or
    nothing does.
    """

    alias: str | None
    shape: EntityShape
    columns: tuple[str, ...]
    alone: bool

    @property
    def name(self) -> str:
        """What keeps it apart from the other uses of a request."""
        return self.shape.name if self.alias is None else f"{self.alias}.{self.shape.name}"


def entity_uses(resolved: Sequence[ResolvedFeature], key_map: KeyMap) -> list[EntityUse]:
    """For each feature, in order, the entity that it is asked for; equal ones are the same use.

    :raises InvalidInput: when the key map names something that is not asked for, or no join key of it.
    """
    asked = [(key_map.parts_of(item.reference)[0], item.version.feature.entity) for item in resolved]
    alone = len({(alias, entity.pk) for alias, entity in asked}) == 1
    _refuse_unused(key_map, {alias or entity.name for alias, entity in asked})
    uses = []
    for alias, entity in asked:
        renamed = key_map.columns.get(alias or entity.name, {})
        keys = tuple(entity.join_keys)
        columns = tuple(renamed.get(key, key) for key in keys)
        uses.append(EntityUse(alias, EntityShape(entity.name, keys), columns, alone))
    for name, columns_of in key_map.columns.items():
        known = {key for use in uses if name == (use.alias or use.shape.name) for key in use.shape.join_keys}
        wrong = sorted(set(columns_of) - known)
        if wrong:
            raise InvalidInput(
                f"key_map.{name} has {', '.join(wrong)}; the join keys there are {', '.join(sorted(known))}",
                details={"field": f"key_map.{name}", "join_keys": sorted(known)},
            )
    return uses


def key_columns(frame: EntityFrame, use: EntityUse) -> tuple[str, ...]:
    """The columns of the entity rows that hold the join keys; ``entity_id`` may stand for the only one asked for.

    :raises InvalidInput: when they are not there.
    """
    missing = [column for column in use.columns if column not in frame.columns]
    if not missing or not frame.columns:
        return use.columns
    keys = use.shape.join_keys
    renamed = [f"{key} in {column}" for key, column in zip(keys, use.columns, strict=True) if column != key]
    if renamed:
        raise InvalidInput(
            f"entity_df lacks {', '.join(missing)}: key_map.{use.alias or use.shape.name} has {', '.join(renamed)}; it "
            f"has {', '.join(frame.columns)}",
            details={"join_keys": keys, "missing": missing},
        )
    if use.alone and len(keys) == 1:
        if ENTITY_ID in frame.columns:
            return (ENTITY_ID,)
        raise InvalidInput(
            f"entity_df has neither {ENTITY_ID} nor {keys[0]}; it has {', '.join(frame.columns)}. A key under another "
            "name is told by key_map",
            details={"join_keys": keys},
        )
    raise InvalidInput(
        f"entity_df lacks {', '.join(missing)}, a join key of {use.shape.name}; {ENTITY_ID} alone cannot stand for "
        "several join keys. A key under another name is told by key_map",
        details={"join_keys": keys, "missing": missing},
    )


def entity_keys_of(
    frame: EntityFrame, uses: Sequence[EntityUse], resolved: Sequence[ResolvedFeature]
) -> dict[str, pa.Array]:
    """By the name of each use the entity key of every row.

    :raises InvalidInput: when key columns are missing, a key cannot be used, or a column has the name of a feature.
    """
    _refuse_taken_names(frame, resolved)
    return {use.name: frame.keys(key_columns(frame, use)) for use in {use.name: use for use in uses}.values()}


def _refuse_unused(key_map: KeyMap, used: set[str]) -> None:
    unused = sorted(set(key_map.columns) - used)
    if unused:
        raise InvalidInput(
            f"key_map has {', '.join(unused)}, for which no feature is asked; write features under an alias as "
            f"{unused[0]}.feature, or name an entity of the features: {', '.join(sorted(used))}",
            details={"field": "key_map", "names": unused},
        )


def _refuse_taken_names(frame: EntityFrame, resolved: Sequence[ResolvedFeature]) -> None:
    taken = sorted({item.reference for item in resolved} & set(frame.columns))
    if taken:
        raise InvalidInput(
            f"entity_df already has the column {', '.join(taken)}, which is asked for as a feature; rename the column "
            "or leave it out",
            details={"columns": taken},
        )

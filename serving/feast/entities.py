"""The entities that a client of Feast asks for: a column of values per join key (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.entity_keys import encode_entity_key
from catalog.errors import InvalidInput, TooLarge
from serving.entity_rows import MAX_ENTITIES, EntityRow, EntityShape, exact_part


@dataclass(frozen=True, slots=True)
class EntityColumns:
    """The join key columns as they came, by name.

    ``values`` has per row the value of the only join key, or an object of join keys by name. What is written is looked
    at when its row is taken.
    """

    columns: dict[str, list[object]]
    values: Sequence[object]
    shapes: Sequence[EntityShape]

    def row(self, position: int) -> EntityRow:
        """The entity at that place.

        :raises InvalidInput: when it cannot be one; the message names the place.
        """
        keys = {
            shape.name: _key([self.columns[name][position] for name in shape.join_keys], shape, position)
            for shape in self.shapes
        }
        return EntityRow(shown=self.values[position], keys=keys)


def read_entity_columns(given: Mapping[str, object], *, shapes: Sequence[EntityShape]) -> EntityColumns:
    """The entities of columns of equal length. A column may be named after its entity when that has one join key.

    Columns that are no join key of the features are left alone, as Feast does.

    :raises InvalidInput: when a join key has no column.
    :raises TooLarge: on more than :data:`MAX_ENTITIES`.
    """
    columns = {name: _column(given, name, shape) for shape in shapes for name in shape.join_keys}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise InvalidInput(f"the columns of entities have as many values each; {told}", details={"lengths": lengths})
    count = next(iter(lengths.values()))
    if count == 0:
        raise InvalidInput("entities names no entity; give at least one value", details={"field": "entities"})
    if count > MAX_ENTITIES:
        raise TooLarge(
            f"{count} entities are asked for and one request takes {MAX_ENTITIES}; split it",
            details={"entities": count, "limit": MAX_ENTITIES},
        )
    values: Sequence[object] = next(iter(columns.values()))
    if len(columns) > 1:
        values = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return EntityColumns(columns=columns, values=values, shapes=shapes)


def _column(given: Mapping[str, object], name: str, shape: EntityShape) -> list[object]:
    named = name if name in given or len(shape.join_keys) > 1 else shape.name
    if named not in given:
        wanted = ", ".join(f'"{key}": […]' for key in shape.join_keys)
        raise InvalidInput(
            f"entities lacks {name}; the features are about {shape.name}: write {{{wanted}}}",
            details={"field": "entities", "join_keys": list(shape.join_keys), "given": list(given)},
        )
    values = given[named]
    if not isinstance(values, list):
        raise InvalidInput(f"entities.{named} is a list of values", details={"field": f"entities.{named}"})
    return values


def _key(values: Sequence[object], shape: EntityShape, position: int) -> str:
    try:
        return encode_entity_key([exact_part(value) for value in values])
    except InvalidInput as error:
        place = f"entities[{position}] ({', '.join(shape.join_keys)})"
        raise InvalidInput(f"{place}: {error.message}", details={**error.details, "position": position}) from error

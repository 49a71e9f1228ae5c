"""The entities that an online read asks for, as they are written in requests (pure: no Django)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalog.entity_keys import bounded, encode_entity_key
from catalog.errors import InvalidInput, TooLarge

MAX_ENTITIES = 10_000
_EXACT_FLOAT = 2**53
_WAYS = ("entity_id", "entity_ids", "entities")


@dataclass(frozen=True)
class EntityShape:
    """An entity that the asked features belong to, and its join keys in their order."""

    name: str
    join_keys: tuple[str, ...]


class EntityRow(NamedTuple):
    """One asked entity: what answers give back as ``entity_id``, and the entity key by entity name."""

    shown: object
    keys: dict[str, str]


class AskedEntities:
    """The entities of a request in the order asked, as they were written there; ``single`` when it is for one alone.

    What is written is looked at when its row is taken.
    """

    def __init__(
        self,
        values: Sequence[object],
        *,
        way: str,
        shapes: Sequence[EntityShape],
        names: list[str],
        single: bool = False,
    ) -> None:
        self.values = values
        self.single = single
        self._way = way
        self._shapes = shapes
        self._names = names
        self._only = shapes[0].name if len(shapes) == 1 and len(names) == 1 else None

    def row(self, position: int) -> EntityRow:
        """The entity at that place.

        :raises InvalidInput: when it cannot be one; the message names the place.
        """
        value = self.values[position]
        if type(value) is int and self._only is not None:
            # Nearly every entity is written so, and there is nothing to look at.
            return EntityRow(value, {self._only: bounded(str(value))})
        place = self._way if self.single else f"{self._way}[{position}]"
        return _row(value, self._shapes, self._names, place)

    @property
    def rows(self) -> tuple[EntityRow, ...]:
        """All of them.

        :raises InvalidInput: as :meth:`row` does.
        """
        return tuple(map(self.row, range(len(self.values))))


def name_entities(
    body: Mapping[str, object], *, shapes: Sequence[EntityShape], other_fields: Collection[str]
) -> AskedEntities:
    """The entities of a request body: ``entity_id``, ``entity_ids``, ``entities``, or join keys by their names.

    ``other_fields`` are the fields of the body that say something else.

    :raises InvalidInput: unless exactly one way is used.
    :raises TooLarge: on more than :data:`MAX_ENTITIES`.
    """
    names = _join_keys(shapes)
    ways = [way for way in _WAYS if way in body and way not in names]
    named = {name: body[name] for name in names if name in body}
    unknown = sorted([name for name in body if name not in other_fields and name not in ways and name not in named])
    if unknown:
        raise InvalidInput(
            f"{', '.join(unknown)} is not a field of this request; name the entity by entity_id, entity_ids or "
            f"entities, or by {', '.join(names)}",
            details={"fields": unknown},
        )
    if len(ways) + bool(named) != 1:
        given = [*ways, *named]
        problem = f"{' and '.join(given)} are given together" if given else "no entity is named"
        raise InvalidInput(
            f"{problem}; give entity_id, entity_ids, entities, or {_by_name(names)}, one of them",
            details={"fields": given},
        )
    if named:
        value = named[names[0]] if len(names) == 1 else named
        return AskedEntities(
            [named if isinstance(value, Mapping) else value], way="the entity", shapes=shapes, names=names, single=True
        )
    [way] = ways
    if way == "entity_id":
        return AskedEntities([body[way]], way=way, shapes=shapes, names=names, single=True)
    return AskedEntities(_listed(body[way], way, names), way=way, shapes=shapes, names=names)


def _listed(listed: object, way: str, names: Sequence[str]) -> Sequence[object]:
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise InvalidInput(f"{way} is a list with at least one entity", details={"field": way})
    if len(listed) > MAX_ENTITIES:
        raise TooLarge(
            f"{len(listed)} entities are asked for and one request takes {MAX_ENTITIES}; split it, or use "
            "features/historical, which takes Arrow and Parquet",
            details={"entities": len(listed), "limit": MAX_ENTITIES},
        )
    if way == "entities":
        for position, entry in enumerate(listed):
            if not isinstance(entry, Mapping):
                raise InvalidInput(
                    f"entities[{position}] is {entry!r}; write {_by_name(names)}",
                    details={"field": f"entities[{position}]"},
                )
    return listed


def read_entity(value: object, *, shapes: Sequence[EntityShape], place: str) -> EntityRow:
    """One entity, from the value of its only join key or from an object of join keys by name.

    :raises InvalidInput: when it cannot be one; the message names the ``place``.
    """
    return _row(value, shapes, _join_keys(shapes), place)


def _row(value: object, shapes: Sequence[EntityShape], names: list[str], place: str) -> EntityRow:
    if isinstance(value, Mapping):
        return _named_row(value, shapes, names, place)
    composite = [shape for shape in shapes if len(shape.join_keys) > 1]
    if composite or len(shapes) > 1:
        why = (
            f"{composite[0].name} has the join keys {', '.join(composite[0].join_keys)}"
            if composite
            else f"the features belong to {' and '.join(shape.name for shape in shapes)}"
        )
        raise InvalidInput(
            f"{place} does not say which join key it is: {why}; write {_by_name(names)}",
            details={"field": place, "join_keys": names},
        )
    return EntityRow(shown=value, keys={shapes[0].name: _key([value], place)})


def _named_row(value: Mapping[str, object], shapes: Sequence[EntityShape], names: list[str], place: str) -> EntityRow:
    missing = [name for name in names if name not in value]
    unknown = sorted(name for name in value if name not in names)
    if missing or unknown:
        problem = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(unknown)}, which is no join key"
        raise InvalidInput(f"{place} {problem}; write {_by_name(names)}", details={"field": place, "join_keys": names})
    keys = {shape.name: _key([value[name] for name in shape.join_keys], place) for shape in shapes}
    return EntityRow(shown=value[names[0]] if len(names) == 1 else dict(value), keys=keys)


def _key(parts: Sequence[object], place: str) -> str:
    try:
        return encode_entity_key([exact_part(part) for part in parts])
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error.message}", details={**error.details, "field": place}) from error


def exact_part(part: object) -> object:
    """``part``, refused when it is a number that JSON carries inexactly."""
    if isinstance(part, float) and abs(part) > _EXACT_FLOAT:
        raise InvalidInput(f"{part!r} is a number beyond what JSON carries exactly; write it as text")
    return part


def _join_keys(shapes: Sequence[EntityShape]) -> list[str]:
    return list(dict.fromkeys(name for shape in shapes for name in shape.join_keys))


def _by_name(names: Sequence[str]) -> str:
    return "{" + ", ".join(f'"{name}": …' for name in names) + "}"

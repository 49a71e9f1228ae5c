"""Where the join keys stand in the entity rows when their columns are named otherwise (pure: no Django).

A key map says per name which column holds which join key. A name is that of an entity, whose columns are renamed so,
or an alias, under which features are then asked for as ``alias.reference``: one entity can so be asked for several
times in one request, such as ``origin.delay_mean`` and ``destination.delay_mean``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_FORM = 'write {"origin": {"airport_id": "origin_airport"}}: per alias or entity, the column of each join key'
_ALIASED = re.compile(rf"(?P<alias>{_NAME.pattern})\.(?P<reference>.*)", re.DOTALL)


@dataclass(frozen=True)
class KeyMap:
    """The column of each join key, by alias or entity name; join keys that are left out are columns themselves."""

    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, given: object) -> KeyMap:
        """The map of a request; None is an empty one.

        :raises InvalidInput: when it has another form.
        """
        if given is None:
            return cls()
        if not isinstance(given, Mapping):
            raise InvalidInput(f"key_map is an object; {_FORM}", details={"field": "key_map"})
        for name, columns in given.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise InvalidInput(
                    f"{name!r} in key_map is no name: use letters, digits and _, beginning with a letter",
                    details={"field": "key_map"},
                )
            if not isinstance(columns, Mapping) or not columns or not all(map(_is_text, (*columns, *columns.values()))):
                raise InvalidInput(f"key_map.{name} is {columns!r}; {_FORM}", details={"field": f"key_map.{name}"})
        return cls({name: dict(columns) for name, columns in given.items()})

    @classmethod
    def of_text(cls, text: str | None) -> KeyMap:
        """The map of a query parameter, which is written as JSON.

        :raises InvalidInput: when it is no JSON, or has another form.
        """
        try:
            return cls.of(None if text is None else json.loads(text))
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"key_map is not JSON; {_FORM}", details={"field": "key_map"}) from error

    def parts_of(self, reference: str) -> tuple[str | None, str]:
        """The alias under which a reference is written, if any, and the feature reference itself."""
        found = _ALIASED.fullmatch(reference)
        if found is None or found["alias"] not in self.columns:
            return None, reference
        return found["alias"], found["reference"]

    def refuse_unknown_alias(self, reference: str) -> None:
        """:raises InvalidInput: when the reference is written under an alias that the map does not have."""
        found = _ALIASED.fullmatch(reference)
        if found is not None and found["alias"] not in self.columns:
            alias = found["alias"]
            there = f"which has {', '.join(self.columns)}" if self.columns else "and there is none"
            raise InvalidInput(
                f"{reference} is written under the alias {alias}, which is to stand in key_map, {there}; {_FORM}",
                details={"field": "key_map", "reference": reference, "alias": alias},
            )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""

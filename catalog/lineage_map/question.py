"""What a reader asks the lineage page, as it stands in the query string (pure: no Django)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from catalog.errors import InvalidInput
from catalog.wording import gettext as _

DEEPEST_SIDE = 8
DEFAULT_UP, DEFAULT_DOWN = 5, 3
PARAMETERS = frozenset({"feature", "group", "node", "up", "down", "depth", "kind", "only", "expand"})
FAILING = "failing"


@dataclass(frozen=True, slots=True)
class LineageQuestion:
    """Around which feature or node, how many steps each way, and what of it.

    ``kinds`` empty means all. ``expand`` names collapsed nodes that are opened; each time a name stands there, more of
    what it holds is shown.
    """

    feature: str = ""
    group: str = ""
    node: str = ""
    up: int = DEFAULT_UP
    down: int = DEFAULT_DOWN
    kinds: frozenset[str] = frozenset()
    only_failing: bool = False
    expand: tuple[str, ...] = field(default=())

    @property
    def kind_and_name(self) -> tuple[str, str]:
        """The two parts of ``node``, which is written ``kind:name``."""
        kind, _, name = self.node.partition(":")
        return kind, name

    def query(self, **changes: Any) -> str:
        """The query string that asks the same, but for ``changes``; what is as usual is left out."""
        asked = replace(self, **changes)
        pairs: list[tuple[str, str]] = []
        if asked.node:
            pairs.append(("node", asked.node))
        else:
            pairs += [(name, value) for name, value in (("feature", asked.feature), ("group", asked.group)) if value]
        pairs += [("up", str(asked.up))] if asked.up != DEFAULT_UP else []
        pairs += [("down", str(asked.down))] if asked.down != DEFAULT_DOWN else []
        pairs += [("kind", kind) for kind in sorted(asked.kinds)]
        pairs += [("only", FAILING)] if asked.only_failing else []
        pairs += [("expand", name) for name in asked.expand]
        return urlencode(pairs)


def read_question(query: Mapping[str, Sequence[str]], *, kinds: Sequence[str]) -> LineageQuestion:
    """The question that a query string asks; ``kinds`` are those that there are.

    :raises InvalidInput: for a depth, kind or word that is not among the choices, naming them; for a null character.
    """
    for name in sorted(PARAMETERS & set(query)):
        if any("\0" in text for text in query[name]):
            raise InvalidInput(_("%(name)s holds a null character") % {"name": name}, details={"field": name})

    def one(name: str) -> str:
        return (list(query.get(name, ())) or [""])[-1].strip()

    both = one("depth")
    chosen = frozenset(kind for text in query.get("kind", ()) for kind in text.split(",") if kind)
    if not chosen <= set(kinds):
        unknown = sorted(chosen - set(kinds))
        raise InvalidInput(
            _("kind: %(unknown)s is not one of %(kinds)s") % {"unknown": ", ".join(unknown), "kinds": ", ".join(kinds)},
            details={"field": "kind"},
        )
    only = one("only")
    if only not in ("", FAILING):
        raise InvalidInput(
            _("only is %(failing)s or left out, not %(only)r") % {"failing": FAILING, "only": only},
            details={"field": "only"},
        )
    node = one("node")
    if node and node.partition(":")[0] not in kinds:
        raise InvalidInput(
            _("node is written kind:name, its kind one of %(kinds)s") % {"kinds": ", ".join(kinds)},
            details={"field": "node", "node": node},
        )
    return LineageQuestion(
        feature=one("feature"),
        group=one("group"),
        node=node,
        up=_steps("up", one("up") or both, otherwise=DEFAULT_UP),
        down=_steps("down", one("down") or both, otherwise=DEFAULT_DOWN),
        kinds=chosen,
        only_failing=bool(only),
        expand=tuple(text for text in query.get("expand", ()) if text)[:60],
    )


def _steps(name: str, text: str, *, otherwise: int) -> int:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= DEEPEST_SIDE):
        raise InvalidInput(
            _("%(name)s is a whole number from 0 to %(deepest_side)s, not %(text)r")
            % {"name": name, "deepest_side": DEEPEST_SIDE, "text": text},
            details={"field": name},
        )
    return int(text)

"""Tokens typed between the words of a search: ``tag:money owner:"risk team" fresh:<1d`` (pure)."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from catalog.errors import InvalidInput
from catalog.search.criteria import Choice, Restriction, read_age, read_share
from catalog.search.spelling import edit_distance
from catalog.wording import gettext as _

# What is typed before the colon, and the parameter that it stands for.
TOKENS: Mapping[str, str] = {
    "tag": "tag",
    "owner": "owner",
    "group": "group",
    "entity": "entity",
    "type": "data_type",
    "status": "status",
    "tier": "tier",
    "sensitivity": "sensitivity",
    "fresh": "fresh",
    "null": "null",
}
_PIECE = re.compile(r'(?P<key>[A-Za-z_]+):(?P<value>"[^"]*"|\S*)|\S+')


@dataclass(frozen=True)
class TypedSearch:
    """``text``: the words that are left when the tokens are taken out."""

    text: str
    restrictions: tuple[Restriction, ...]


def read_tokens(q: str, *, known: Mapping[str, Collection[str]], is_group: Callable[[str], bool]) -> TypedSearch:
    """The words and tokens of ``q``. ``known`` holds the only values of some parameters.

    What ``is_group`` (to the knowledge of the reader) may stand before a colon, as in a feature reference.

    :raises InvalidInput: on a token without value, with a value that is none, or one that is nearly a token.
    """
    words: list[str] = []
    chosen: dict[str, list[tuple[str, str]]] = defaultdict(list)
    bounds: list[Restriction] = []
    for piece in _PIECE.finditer(q):
        key = (piece["key"] or "").lower()
        if key not in TOKENS:
            if key:
                _refuse_nearly(key, is_group)
            words.append(piece[0])
            continue
        value = piece["value"].strip('"').strip()
        if not value:
            raise _wrong(
                _("%(key)s: has no value; write for example %(example)s") % {"key": key, "example": _EXAMPLES[key]}
            )
        if TOKENS[key] in ("fresh", "null"):
            read = read_age if key == "fresh" else read_share
            try:
                bounds.append(read(value, typed=(piece[0],)))
            except ValueError as error:
                raise _wrong(str(error)) from error
        else:
            values = [value] if key == "owner" else [one for one in value.split(",") if one]
            chosen[key].extend((_checked(key, one, known), piece[0]) for one in values)
    choices = [
        Choice(
            TOKENS[key],
            tuple(dict.fromkeys(value for value, _ in pairs)),
            is_any=key != "tag",
            typed=tuple(dict.fromkeys(typed for _, typed in pairs)),
        )
        for key, pairs in chosen.items()
    ]
    return TypedSearch(text=" ".join(words), restrictions=(*choices, *bounds))


def without_token(q: str, typed: Collection[str]) -> str:
    """``q`` without the tokens that were typed so."""
    return " ".join(piece[0] for piece in _PIECE.finditer(q) if piece[0] not in typed)


_EXAMPLES = {
    "tag": "tag:money",
    "owner": 'owner:"risk team"',
    "group": "group:customer_financial",
    "entity": "entity:customer",
    "type": "type:float",
    "status": "status:active",
    "tier": "tier:certified",
    "sensitivity": "sensitivity:internal",
    "fresh": "fresh:<1d",
    "null": "null:<1%",
}


def _checked(key: str, value: str, known: Mapping[str, Collection[str]]) -> str:
    allowed = known.get(TOKENS[key])
    value = value if key == "owner" else value.lower()
    if allowed is not None and value not in allowed:
        near = difflib.get_close_matches(value, list(allowed), n=1)
        told = (
            _("there is no %(key)s %(value)r; did you mean %(key)s:%(near)s?")
            if near
            else _("there is no %(key)s %(value)r; it is one of %(known)s")
        )
        said = {"key": key, "value": value, "near": "".join(near), "known": ", ".join(allowed)}
        raise _wrong(told % said)
    return value


def _refuse_nearly(key: str, is_group: Callable[[str], bool]) -> None:
    near = [token for token in TOKENS if edit_distance(key, token, most=1) <= 1 and len(key) > 2]
    if near and not is_group(key):
        said = {"key": key, "near": near[0], "example": _EXAMPLES[near[0]]}
        raise _wrong(_("there is no token %(key)s:; did you mean %(near)s:, as in %(example)s?") % said)


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, details={"field": "q", "tokens": list(TOKENS)})

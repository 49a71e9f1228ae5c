"""What stands beside a list of features: facets with live counts, the filters in force, and how to loosen them."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.search import FACETS, FoundFeatures, Restriction
from catalog.search.tokens import without_token
from catalog.terms import word_of

MOST_VALUES = 40

_HEADINGS = {
    "group": gettext_lazy("Group"),
    "entity": gettext_lazy("Entity"),
    "data_type": gettext_lazy("Type"),
    "tag": gettext_lazy("Tag"),
    "owner": gettext_lazy("Owner"),
    "status": gettext_lazy("Status"),
    "tier": gettext_lazy("Tier"),
    "sensitivity": gettext_lazy("Sensitivity"),
    "fresh": gettext_lazy("Newest value"),
    "null": gettext_lazy("Nulls"),
}
_CODED = frozenset({"status", "tier", "sensitivity"})


@dataclass(frozen=True)
class FacetValue:
    """``key`` names its link on the page, so that the keyboard stays where it is when the list is exchanged."""

    parameter: str
    value: str
    count: int
    chosen: bool
    href: str

    @property
    def said(self) -> str:
        """The value as a page says it."""
        return _said(self.parameter, self.value)

    @property
    def key(self) -> str:
        return f"facet-{self.parameter}-{crc32(self.value.encode()):08x}"


@dataclass(frozen=True)
class Facet:
    """``more`` counts the values that are not shown; those with the most features are."""

    parameter: str
    heading: str
    values: tuple[FacetValue, ...]
    more: int = 0

    @property
    def is_chosen(self) -> bool:
        return any(value.chosen for value in self.values)


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address without it."""

    heading: str
    value: str
    href: str


@dataclass(frozen=True)
class Loosened:
    """A way out of an empty list: the address without one filter or without the words, and what it would show."""

    label: str
    count: int
    href: str


def _said(parameter: str, value: str) -> str:
    """``value`` in words where it is one of the catalog's codes; names and tags are what they are."""
    return word_of(value) if parameter in _CODED else value


def facets_of(found: FoundFeatures, parameters: QueryDict) -> list[Facet]:
    """A facet counts what all other filters leave, so that other values can be chosen."""
    facets = []
    for parameter in FACETS:
        counts = found.facet_counts(parameter)
        chosen = _chosen(found, parameter)
        for value in chosen:
            counts.setdefault(value, 0)
        ordered = sorted(counts.items(), key=lambda pair: (pair[0] not in chosen, -pair[1], pair[0]))
        values = tuple(
            FacetValue(parameter, value, count, value in chosen, _toggled(found, parameters, parameter, value))
            for value, count in ordered[:MOST_VALUES]
        )
        if values:
            heading = str(_HEADINGS[parameter])
            facets.append(Facet(parameter, heading, values, more=max(len(ordered) - MOST_VALUES, 0)))
    return facets


def chips_of(found: FoundFeatures, parameters: QueryDict) -> list[Chip]:
    """The filters in force, given as parameters or typed as tokens."""
    return [
        Chip(str(_HEADINGS[one.parameter]), _said(one.parameter, value), _without(parameters, one, value))
        for one in found.criteria.restrictions
        for value in one.values
    ]


def ways_out(found: FoundFeatures, parameters: QueryDict) -> list[Loosened]:
    """What to loosen where nothing fits, with how many features each would give."""
    ways = []
    for relaxation in found.relaxations():
        one = relaxation.restriction
        if one is None:
            rest = _fresh(parameters)
            rest.pop("search", None)
            typed = [text for other in found.criteria.restrictions for text in other.typed]
            rest.setlist("q", [" ".join(typed)] if typed else [])
            ways.append(Loosened(_("the words “%s”") % found.criteria.text, relaxation.count, _address(rest)))
            continue
        label = f"{_HEADINGS[one.parameter]}: {', '.join(_said(one.parameter, value) for value in one.values)}"
        rest = parameters
        for value in one.values:
            rest = QueryDict(_without(rest, one, value).removeprefix("?"))
        ways.append(Loosened(label, relaxation.count, _address(rest.copy())))
    return ways


def _chosen(found: FoundFeatures, parameter: str) -> list[str]:
    restrictions = found.criteria.restrictions
    return list(dict.fromkeys(value for one in restrictions if one.parameter == parameter for value in one.values))


def _toggled(found: FoundFeatures, parameters: QueryDict, parameter: str, value: str) -> str:
    """The address with ``value`` chosen, or with it no longer chosen; of single fields it replaces the others."""
    holding = [one for one in found.criteria.restrictions if one.parameter == parameter and value in one.values]
    if holding:
        return _without(parameters, holding[0], value)
    changed = _fresh(parameters)
    if parameter == "tag":
        changed.appendlist(parameter, value)
        return _address(changed)
    typed = [text for one in found.criteria.restrictions if one.parameter == parameter for text in one.typed]
    _leave_out(changed, typed)
    changed.setlist(parameter, [value])
    return _address(changed)


def _without(parameters: QueryDict, restriction: Restriction, value: str) -> str:
    changed = _fresh(parameters)
    if restriction.typed:
        _leave_out(changed, restriction.typed)
        return _address(changed)
    separator = None if restriction.parameter in ("owner", "fresh", "null") else ","
    given = [
        part.strip()
        for text in changed.getlist(restriction.parameter)
        for part in (text.split(separator) if separator else [text])
    ]
    left = [] if restriction.parameter in ("fresh", "null") else [one for one in given if one and one != value]
    changed.setlist(restriction.parameter, list(dict.fromkeys(left)))
    return _address(changed)


def _leave_out(parameters: QueryDict, typed: list[str] | tuple[str, ...]) -> None:
    for name in ("q", "search"):
        texts = [without_token(text, typed) for text in parameters.getlist(name)]
        parameters.setlist(name, [text for text in texts if text])


def _fresh(parameters: QueryDict) -> QueryDict:
    """A copy that begins at the first page; a view that was opened has become its parameters."""
    changed = parameters.copy()
    for name in ("page", "view"):
        changed.pop(name, None)
    return changed


def _address(parameters: QueryDict) -> str:
    for name in list(parameters):
        if not any(parameters.getlist(name)):
            del parameters[name]
    return f"?{parameters.urlencode()}"

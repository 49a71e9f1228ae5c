"""The facets beside a list of features: every value of a field with how many features a click would leave."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from django.http import QueryDict

from catalog.filters import FeatureFilter, split_words, with_effective_fields
from catalog.models.feature import FeatureQuerySet

MOST_VALUES = 60

# (parameter, heading, field that is counted); of tags all must fit, so each click narrows further.
_FACETS = (
    ("group", "Group", "group__name"),
    ("entity", "Entity", "entity__name"),
    ("data_type", "Type", "default_version__data_type"),
    ("tag", "Tag", "tags__name"),
    ("owner", "Owner", "owner_in_force"),
    ("status", "Status", "status"),
    ("sensitivity", "Sensitivity", "sensitivity_in_force"),
)


@dataclass(frozen=True)
class FacetValue:
    value: str
    count: int
    chosen: bool
    href: str


@dataclass(frozen=True)
class Facet:
    parameter: str
    heading: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address without it."""

    heading: str
    value: str
    href: str


def facets_of(*, features: FeatureQuerySet, parameters: QueryDict) -> list[Facet]:
    """One query per facet. A facet counts what all other filters leave, so that other values can be chosen."""
    facets = []
    for parameter, heading, field in _FACETS:
        others = parameters.copy()
        if parameter != "tag":
            others.pop(parameter, None)
        others.pop("ordering", None)
        fitting = with_effective_fields(FeatureFilter(others, queryset=features).qs)
        counted = (
            fitting.order_by().values_list(field).annotate(count=Count("pk", distinct=True)).order_by("-count", field)
        )
        chosen = _chosen(parameters, parameter)
        values = tuple(
            FacetValue(value=value, count=count, chosen=value in chosen, href=_toggled(parameters, parameter, value))
            for value, count in counted[:MOST_VALUES]
            if value
        )
        if values:
            facets.append(Facet(parameter=parameter, heading=heading, values=values))
    return facets


def chips_of(parameters: QueryDict) -> list[Chip]:
    """The filters in force."""
    return [
        Chip(heading=heading, value=value, href=_toggled(parameters, parameter, value))
        for parameter, heading, _ in _FACETS
        for value in _chosen(parameters, parameter)
    ]


def _chosen(parameters: QueryDict, parameter: str) -> list[str]:
    return split_words(parameters.getlist(parameter), None if parameter == "owner" else ",")


def _toggled(parameters: QueryDict, parameter: str, value: str) -> str:
    """The address with ``value`` chosen, or with it no longer chosen; of single fields it replaces the others."""
    changed = parameters.copy()
    changed.pop("page", None)
    chosen = _chosen(parameters, parameter)
    if value in chosen:
        left = [one for one in chosen if one != value]
    else:
        left = [*chosen, value] if parameter == "tag" else [value]
    changed.setlist(parameter, left)
    return f"?{changed.urlencode()}"

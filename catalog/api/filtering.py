"""Filtering of lists by the query string, where a misspelled parameter is an error and not all rows."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.errors import InvalidInput

PAGING = ("page", "page_size")


def refuse_unknown_parameters(request: Request, known: Collection[str]) -> None:
    """:raises InvalidInput: on a parameter of the query string that is not among ``known``; the message names it."""
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
        raise InvalidInput(
            f"{unknown[0]} is not a parameter of this call{hint}", details={"unknown": unknown, "known": list(known)}
        )


class StrictFilterBackend(DjangoFilterBackend):
    """The filter set of the view; unknown parameters are refused."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        known = () if filterset is None else tuple(filterset.filters)
        refuse_unknown_parameters(request, (*known, *PAGING))
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered

"""The addresses of pages in the API: what a list shows, asked for with the same filters and the same page."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.paginator import Page
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode


def list_twin(route: str, page: Page[Any], *, parameters: QueryDict | None = None, kept: Collection[str] = ()) -> str:
    """The call ``route`` for the same rows as ``page`` of a list; of the page's own ``parameters`` those ``kept``."""
    given = [] if parameters is None else [(name, value) for name, value in _each(parameters) if name in kept and value]
    paging = [("page", str(page.number)), ("page_size", str(page.paginator.per_page))]
    return f"{reverse(route)}?{urlencode([*given, *paging])}"


def _each(parameters: QueryDict) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, values in parameters.lists() for value in values]

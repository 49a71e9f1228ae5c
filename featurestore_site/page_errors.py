"""Errors of the store on pages: the page of their status, with their message and what is near."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse

from catalog.errors import FeatureStoreError

GetResponse = Callable[[HttpRequest], HttpResponse]

log = logging.getLogger(__name__)

_TEMPLATES = {403: "403.html", 404: "404.html"}
# (key of the error's details, URL name of what it lists)
_NEAREST = (
    ("nearest", "catalog:feature"),
    ("nearest_groups", "catalog:group"),
    ("nearest_services", "catalog:service"),
)


class PageErrors:
    """Answers a :class:`FeatureStoreError` that a page raised with the page of its status."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Called by Django for every exception of a view; None leaves it to Django."""
        if not isinstance(exception, FeatureStoreError):
            return None
        if exception.status >= 500:
            log.error("%s: %s", request.path, exception.message, exc_info=exception)
        template = _TEMPLATES.get(exception.status, "400.html")
        context = {"message": exception.message, "status": exception.status, "nearest": _nearest(exception.details)}
        return render(request, template, context, status=exception.status)


def with_slash(request: HttpRequest, address: str) -> HttpResponse:
    """The address of a page that was written without the slash at its end."""
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"/{quote(address)}/" + (f"?{query}" if query else ""))


def _nearest(details: dict[str, Any]) -> list[tuple[str, str]]:
    """Names that are alike, with their addresses; of a reference ``group:name`` the name is the page."""
    found = []
    for key, route in _NEAREST:
        for name in details.get(key) or ():
            found.append((name, reverse(route, args=[str(name).rpartition(":")[2]])))
    return found

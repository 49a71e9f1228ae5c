"""What every page says of itself: the product's version, and as of when it was made."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.http import HttpRequest

from catalog.clock import now


@cache
def product_version() -> str:
    """The installed version; empty where the project runs from its folder without being installed."""
    try:
        return version("feature-store")
    except PackageNotFoundError:
        return ""


def product(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001  (context processors are given the request)
    """``product_version`` and ``as_of`` for the foot of the page."""
    return {"product_version": product_version(), "as_of": now()}

"""Addresses whose views are loaded when one of them is first asked for.

A process that serves values alone never loads pages, administration, history or ingestion, nor what those take: the
libraries for tables are larger than all the rest.
"""

from __future__ import annotations

from django.urls import URLResolver, path


def on_demand(route: str, urlconf: str, namespace: str | None = None) -> URLResolver:
    """The addresses of the module ``urlconf`` below ``route``, which is imported when a path first fits ``route``."""
    resolver: URLResolver = path(route, (urlconf, namespace, namespace))  # type: ignore[arg-type]  # a name does
    return resolver

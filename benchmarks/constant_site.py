"""The ceiling: a Django site whose one view answers a constant JSON, on the same server as the product."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def constant(request: HttpRequest, values: int) -> HttpResponse:
    """An answer of so many values; the body is read, as everybody has to."""
    _ = request.body
    return HttpResponse(_answer(values), content_type="application/json")


@cache
def _answer(values: int) -> bytes:
    found = {f"g{number % 4}_f{number // 4:03d}": 0.1234567891234567 for number in range(values)}
    return json.dumps({"entity_id": 1, "features": found}).encode()


def _application() -> WSGIHandler:
    options: dict[str, Any] = {
        "ROOT_URLCONF": __name__,
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "SECRET_KEY": "nothing is signed here",
        "MIDDLEWARE": [],
    }
    settings.configure(**options)
    return get_wsgi_application()


urlpatterns = [path("constant/<int:values>", constant)]
application = _application()

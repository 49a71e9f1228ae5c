"""The ceiling: a Django site whose one view answers a constant JSON, on the same server as the product."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

_VALUES = ", ".join(f'"g{number % 4}_f{number:02d}": 0.123456789{number}' for number in range(20))
_ANSWER = f'{{"entity_id": 1, "features": {{{_VALUES}}}}}'.encode()


def constant(request: HttpRequest) -> HttpResponse:
    """The answer; the body is read, as everybody has to."""
    _ = request.body
    return HttpResponse(_ANSWER, content_type="application/json")


def _application() -> WSGIHandler:
    options: dict[str, Any] = {
        "ROOT_URLCONF": __name__,
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "SECRET_KEY": "nothing is signed here",
        "MIDDLEWARE": [],
    }
    settings.configure(**options)
    return get_wsgi_application()


urlpatterns = [path("constant", constant)]
application = _application()

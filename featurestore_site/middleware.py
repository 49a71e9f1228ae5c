"""What every request passes through: its id and actor, the content security policy, static files."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

from catalog.actor import acting
from featurestore_site.error_shape import API_PREFIX

GetResponse = Callable[[HttpRequest], HttpResponse]

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# Swagger UI writes style attributes while it draws; its scripts are files like all others.
DOCS_POLICY = {**POLICY, "style-src": "'self' 'unsafe-inline'"}
DOCS_VIEW = "api-docs"


def _header(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class ContentSecurityPolicy:
    """Pages load nothing from other hosts and run no inline script or style."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        docs = match is not None and match.view_name == DOCS_VIEW
        response.headers.setdefault("Content-Security-Policy", _header(DOCS_POLICY if docs else POLICY))
        return response


class NoSharedCopies:
    """Answers of the API depend on who asks and may hold values: no cache on the way keeps one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(API_PREFIX):
            response.headers.setdefault("Cache-Control", "no-store")
            patch_vary_headers(response, ("Authorization", settings.FEATURESTORE.security.api_key_header))
        return response


class RequestActor:
    """Names the actor and the request for the audit; ``X-Request-ID`` is taken over or made, and answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        user = _session_user(request)
        with acting(user, "anonymous" if user is None else user.get_username(), request_id):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response


def _session_user(request: HttpRequest) -> AbstractBaseUser | None:
    # Without a session there is nobody to look up, and a request with a token costs no query here.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return None
    return request.user


class StaticFiles(WhiteNoiseMiddleware):
    """Whitenoise, which before ``collectstatic`` serves the files from where the apps keep them."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        if self.autorefresh or Path(root).is_dir():
            super().add_files(root, prefix)

"""What every request passes through: its id and actor, the content security policy, static files; and the short way."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, ItemsView, Mapping
from functools import lru_cache
from pathlib import Path
from typing import cast

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.http.response import ResponseHeaders
from django.middleware.security import SecurityMiddleware
from django.template.response import SimpleTemplateResponse
from django.urls import ResolverMatch, resolve
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request, override
from whitenoise.middleware import WhiteNoiseMiddleware

from catalog.actor import acting
from featurestore_site.error_shape import is_call
from serving.authentication import brings_key

GetResponse = Callable[[HttpRequest], HttpResponse]

ANONYMOUS = "anonymous"
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
NO_STORE = "no-store"
# In what WSGI gives of a request: who took it in has seen that it is one.
CALL_WITH_KEY = "featurestore.call_with_key"


def _header(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


_POLICY_HEADER, _DOCS_POLICY_HEADER = _header(POLICY), _header(DOCS_POLICY)


class ContentSecurityPolicy:
    """Pages load nothing from other hosts and run no inline script or style."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        docs = match is not None and match.view_name == DOCS_VIEW
        response.headers.setdefault("Content-Security-Policy", _DOCS_POLICY_HEADER if docs else _POLICY_HEADER)
        return response


class NoSharedCopies:
    """Answers of the API depend on who asks and may hold values: no cache on the way keeps one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_call(request.path):
            response.headers.setdefault("Cache-Control", NO_STORE)
            patch_vary_headers(response, ("Authorization", settings.FEATURESTORE.security.api_key_header))
        return response


class PageLanguage:
    """A page speaks the language that its reader's browser asks for, of those that the store is translated to.

    What serves programs is English, as is all that is not an answer: no language stays behind in the thread.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_call(request.path):
            return self.get_response(request)
        language = get_language_from_request(request)
        with override(language):
            response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", language)
        return response


class CallsWithKey:
    """Calls of the API that bring a key go straight to their view.

    Everything further down serves browsers: sessions, form tokens, messages, pages of errors, scripts of other sites.
    Who holds a key is known by it alone, so none of it concerns them, and a read of a few values takes less time than
    all of it together. The headers that every answer has are worked out once.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._security = SecurityMiddleware(get_response)
        self._cors = settings.FEATURESTORE.security.cors.enabled
        self._common: dict[bool, ResponseHeaders] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.META
        is_with_key = CALL_WITH_KEY in sent or (is_call(request.path_info) and brings_key(sent))
        if not is_with_key or (self._cors and "HTTP_ORIGIN" in sent):
            return self.get_response(request)
        secure = self._knows_https and request.is_secure()
        if self._security.redirect and not secure:
            return self.get_response(request)
        request_id = _request_id(request)
        with acting(None, ANONYMOUS, request_id):
            response = _answered(request)
        headers = response.headers
        own = {"X-Request-ID": request_id, "Vary": _vary(headers.get("Vary"), self._asked_by())}
        if not response.streaming and "Content-Length" not in headers:
            own["Content-Length"] = str(len(response.content))
        response.headers = _Completed(headers, self._common_headers(request, secure=secure), own)
        return response

    def _asked_by(self) -> tuple[str, ...]:
        names = ("Authorization", settings.FEATURESTORE.security.api_key_header)
        return (*names, "origin") if self._cors else names

    @property
    def _knows_https(self) -> bool:
        return bool(self._security.redirect or self._security.sts_seconds)

    def _common_headers(self, request: HttpRequest, *, secure: bool) -> ResponseHeaders:
        known = self._common.get(secure)
        if known is None:
            answer = HttpResponse()
            self._security.process_response(request, answer)
            del answer.headers["Content-Type"]
            answer.headers["Content-Security-Policy"] = _POLICY_HEADER
            answer.headers["Cache-Control"] = NO_STORE
            answer.headers["X-Frame-Options"] = settings.X_FRAME_OPTIONS
            known = self._common[secure] = answer.headers
        return known


class _Completed(ResponseHeaders):
    """The headers of an answer, of those that every answer has the ones that it lacks, and what is ``added``."""

    def __init__(self, own: ResponseHeaders, common: ResponseHeaders, added: Mapping[str, str]) -> None:
        # Each header alone would be checked again, which was done when it was set; what is added holds nothing odd.
        self._store = {**common._store, **own._store, **{name.lower(): (name, text) for name, text in added.items()}}

    def items(self) -> ItemsView[str, str]:
        # They are kept in pairs; Mapping would look each up again by its name.
        return cast(ItemsView[str, str], self._store.values())


@lru_cache(maxsize=64)
def _vary(named: str | None, others: tuple[str, ...]) -> str:
    answer = HttpResponse(headers={} if named is None else {"Vary": named})
    patch_vary_headers(answer, others)
    return answer.headers["Vary"]


def _viewed(request: HttpRequest) -> HttpResponse:
    if settings.USE_X_FORWARDED_HOST or not _is_ours(request.META.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS)):
        request.get_host()  # refuses a host that is not ours, as CommonMiddleware does
    request.resolver_match = match = _match(request.path_info)
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    if match.view_name == DOCS_VIEW:
        response.headers.setdefault("Content-Security-Policy", _DOCS_POLICY_HEADER)
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


# A fault becomes its answer while it is known whose request it was.
_answered: GetResponse = convert_exception_to_response(_viewed)  # type: ignore[assignment]  # it may wrap coroutines


@lru_cache(maxsize=64)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


@lru_cache(maxsize=512)
def _match(path: str) -> ResolverMatch:
    # Nearly all calls are made to a few addresses, and there are many to look through.
    return resolve(path)


class RequestActor:
    """Names the actor and the request for the audit; ``X-Request-ID`` is taken over or made, and answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = _request_id(request)
        user = _session_user(request)
        with acting(user, ANONYMOUS if user is None else user.get_username(), request_id):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response


def _request_id(request: HttpRequest) -> str:
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if given and REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def _session_user(request: HttpRequest) -> AbstractBaseUser | None:
    # Without a session there is nobody to look up.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return None
    return request.user


class StaticFiles(WhiteNoiseMiddleware):
    """Whitenoise, which before ``collectstatic`` serves the files from where the apps keep them."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        if self.autorefresh or Path(root).is_dir():
            super().add_files(root, prefix)

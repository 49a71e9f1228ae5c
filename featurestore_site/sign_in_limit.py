"""Passwords cannot be tried out: failed sign-ins are counted, and too many are refused for a while."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.throttling import BaseThrottle

WINDOW = 300
PER_NAME_AND_ADDRESS = 10
PER_ADDRESS = 100
_VIEWS = frozenset({"login", "admin:login"})

GetResponse = Callable[[HttpRequest], HttpResponse]


class SignInLimit:
    """At most ten failures per five minutes for one name from one address, a hundred for one address.

    An attempt is counted before its password is looked at, so that many at once gain nothing, and given back when it
    succeeds. Names are not locked by themselves: nobody can lock others out from elsewhere. The counters are those of
    the default cache: with Redis one for all processes, without it one for each.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _is_attempt(request) and 300 <= response.status_code < 400:
            pair, address = _counters(request)
            cache.delete(pair)
            _give_back(address)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:  # noqa: ARG002
        """Called by Django before a view; an answer takes its place."""
        if not _is_attempt(request):
            return None
        pair, address = _counters(request)
        if _counted(pair) <= PER_NAME_AND_ADDRESS and _counted(address) <= PER_ADDRESS:
            return None
        wait = math.ceil(WINDOW - time.time() % WINDOW)
        message = f"too many attempts to sign in failed; try again in {math.ceil(wait / 60)} minutes"
        answer = render(request, "400.html", {"message": message, "status": 429}, status=429)
        answer.headers["Retry-After"] = str(wait)
        return answer


def _is_attempt(request: HttpRequest) -> bool:
    match = request.resolver_match
    return request.method == "POST" and match is not None and match.view_name in _VIEWS


def _counters(request: HttpRequest) -> tuple[str, str]:
    address = BaseThrottle().get_ident(request)  # type: ignore[arg-type]  # it reads META, which both kinds have
    name = request.POST.get("username", "").strip().casefold()
    window = int(time.time() // WINDOW)
    return f"sign-in:{_digest(f'{address} {name}')}:{window}", f"sign-in:{_digest(str(address))}:{window}"


def _counted(counter: str) -> int:
    if cache.add(counter, 1, timeout=WINDOW):
        return 1
    try:
        return cache.incr(counter)
    except ValueError:
        cache.set(counter, 1, timeout=WINDOW)  # It ran out between the two calls.
        return 1


def _give_back(counter: str) -> None:
    try:
        cache.decr(counter)
    except ValueError:
        return  # The window has ended, and its count with it.


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]

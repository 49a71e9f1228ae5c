"""The limit of requests per minute, as ``security.rate_limiting`` says."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    # The framework loads its throttles while it loads its views.
    from rest_framework.views import APIView

WINDOW = 60


class RequestsPerMinute(BaseThrottle):
    """A sliding minute per token, user or address, from two counters.

    The framework's own throttle keeps the time of each request in a list, which it copies with every
    request; two numbers cost the same at any limit. The requests of the minute before are taken to be
    spread evenly over it. The counters are those of the default cache: with Redis one limit for all
    processes, without it one for each.
    """

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  # the framework's signature
        limit = settings.FEATURESTORE.security.rate_limiting
        if not limit.enabled:
            return True
        now = time.time()
        minute, into = divmod(now, WINDOW)
        caller = self._caller(request)
        current, before = f"rate:{caller}:{int(minute)}", f"rate:{caller}:{int(minute) - 1}"
        counts = cache.get_many([current, before])
        used = counts.get(current, 0) + counts.get(before, 0) * (1 - into / WINDOW)
        if used >= limit.requests_per_minute:
            self._wait = _wait(counts.get(current, 0), counts.get(before, 0), into, limit.requests_per_minute)
            return False
        if not cache.add(current, 1, timeout=2 * WINDOW):
            try:
                cache.incr(current)
            except ValueError:
                cache.set(current, 1, timeout=2 * WINDOW)  # It ran out between the two calls.
        return True

    def wait(self) -> float | None:
        return self._wait

    def _caller(self, request: Request) -> str:
        if request.auth is not None:
            key = getattr(request.auth, "pk", None) or request.auth
            return f"token:{_digest(str(key))}"
        if request.user.is_authenticated:
            return f"user:{request.user.pk}"
        return f"address:{_digest(str(self.get_ident(request)))}"


def _wait(current: int, before: int, into: float, limit: int) -> float:
    """Seconds until one more request is allowed."""
    room = limit - current - 1
    if before and room >= 0:
        # Within this minute the share of the one before shrinks to what is left.
        return max(WINDOW * (1 - room / before) - into, 1.0)
    # In the next minute the share of this one has to shrink.
    over = max(current - limit + 1, 0)
    return max(WINDOW - into + WINDOW * over / max(current, 1), 1.0)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]

"""The limit of requests per minute, as ``security.rate_limiting`` says."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from featurestore_site.token_buckets import buckets

if TYPE_CHECKING:
    # The framework loads its throttles while it loads its views.
    from rest_framework.views import APIView

MINUTE = 60.0


class RequestsPerMinute(BaseThrottle):
    """A bucket per token, user or address: it holds a minute's requests and fills again evenly over a minute.

    With Redis it is one for all processes, without it one for each.
    """

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  # the framework's signature
        limit = settings.FEATURESTORE.security.rate_limiting
        if not limit.enabled:
            return True
        every = MINUTE / limit.requests_per_minute
        self._wait = buckets().take(self._caller(request), every=every, room=MINUTE)
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait

    def _caller(self, request: Request) -> str:
        if request.auth is not None:
            return f"token:{request.auth.pk}"
        if request.user.is_authenticated:
            return f"user:{request.user.pk}"
        return f"address:{_digest(str(self.get_ident(request)))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]

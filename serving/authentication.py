"""Who calls the API: the holder of a token, or a signed-in person."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.db.models import Q
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.actor import act_as
from catalog.clock import now
from serving.callers import look_up_caller, trusted_caller
from serving.models import ApiToken
from serving.tokens import digest_of

logger = logging.getLogger(__name__)

KEYWORD = "Token"
BEARER = "Bearer"
_USE_NOTED_EVERY = timedelta(minutes=5)
_HINT = f"send the header Authorization: {KEYWORD} <key>"


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Token <key>``, or the key alone in the header that the configuration names."""

    keywords: ClassVar[tuple[str, ...]] = (KEYWORD,)

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, ApiToken] | None:
        key = _key_of(request.META, self.keywords)
        if key is None:
            return None
        at = now()
        digest = digest_of(key)
        caller = trusted_caller(digest, at)
        if caller is None:
            caller = look_up_caller(digest, at)
            if caller is None:
                raise AuthenticationFailed(_refusal(digest, at))
            _uses.note(caller.token, at)
        act_as(caller.user, caller.name)
        return caller.user, caller.token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        return self.keywords[0]


class BearerAuthentication(TokenAuthentication):
    """``Authorization: Bearer <key>`` as well, which is what the clients of Feast send."""

    keywords = (BEARER, KEYWORD)


def brings_key(sent: Mapping[str, Any]) -> bool:
    """Whether a request with these headers (as WSGI names them) is of the holder of a key, valid or not."""
    return _begins_with(sent.get("HTTP_AUTHORIZATION", "").split(), (KEYWORD, BEARER)) or bool(_key_alone(sent))


def _key_of(sent: Mapping[str, Any], keywords: Sequence[str]) -> str | None:
    parts = sent.get("HTTP_AUTHORIZATION", "").split()
    if _begins_with(parts, keywords):
        if len(parts) != 2:
            raise AuthenticationFailed(f"the Authorization header is not of the form {keywords[0]} <key>")
        return str(parts[1])
    return _key_alone(sent) or None


def _begins_with(parts: Sequence[str], keywords: Sequence[str]) -> bool:
    return bool(parts) and parts[0].capitalize() in keywords


def _key_alone(sent: Mapping[str, Any]) -> str:
    return str(sent.get(_wsgi_name(settings.FEATURESTORE.security.api_key_header), "")).strip()


@cache
def _wsgi_name(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


def _refusal(digest: str, at: datetime) -> str:
    """Why the key does not open; who holds a key may know what became of it."""
    token = ApiToken.objects.filter(digest=digest).select_related("user").first()
    if token is None:
        return f"this token is not known; {_HINT}"
    if token.revoked_at is not None:
        return "this token was revoked; ask for a new one"
    if token.expires_at is not None and token.expires_at <= at:
        return "this token has expired; ask for a new one"
    return "the user of this token is no longer active"


class _Uses:
    """Notes when a token was last used, at most once in five minutes: a read must not cost a write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}

    def note(self, token: ApiToken, at: datetime) -> None:
        moment = time.monotonic()
        with self._lock:
            last = self._noted.get(token.digest)
            if last is not None and moment - last < _USE_NOTED_EVERY.total_seconds():
                return
            self._noted[token.digest] = moment
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - _USE_NOTED_EVERY)
        try:
            with transaction.atomic():
                ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=at)
        except DatabaseError:
            # A busy or read-only database must not refuse a reader over a note about them.
            logger.warning("the use of token %s could not be noted", token.prefix, exc_info=True)


_uses = _Uses()

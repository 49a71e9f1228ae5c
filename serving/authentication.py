"""Who calls the API: the holder of a token, or a signed-in person."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, transaction
from django.db.models import Q
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.actor import act_as
from catalog.clock import now
from serving.models import ApiToken
from serving.tokens import digest_of

logger = logging.getLogger(__name__)

KEYWORD = "Token"
_USE_NOTED_EVERY = timedelta(minutes=5)
_HINT = f"send the header Authorization: {KEYWORD} <key>"


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Token <key>``, or the key alone in the header that the configuration names."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, ApiToken] | None:
        key = _key_of(request)
        if key is None:
            return None
        at = now()
        digest = digest_of(key)
        token = ApiToken.objects.valid(at).select_related("user").filter(digest=digest).first()
        if token is None:
            raise AuthenticationFailed(_refusal(digest, at))
        _uses.note(token, at)
        act_as(token.user, token.user.get_username())
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        return KEYWORD


def _key_of(request: Request) -> str | None:
    parts = request.headers.get("Authorization", "").split()
    if parts and parts[0].lower() == KEYWORD.lower():
        if len(parts) != 2:
            raise AuthenticationFailed(f"the Authorization header is not of the form {KEYWORD} <key>")
        return parts[1]
    return request.headers.get(settings.FEATURESTORE.security.api_key_header, "").strip() or None


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

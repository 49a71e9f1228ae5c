"""Whose token it is that opens the API: looked up once and trusted for a moment."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from serving.models import ApiToken

# A token that is revoked, a user who is deactivated, a role or grant that is taken away: every process knows of it
# after so long, whoever did it and in whatever way.
TRUSTED_SECONDS = 0.5


class Caller(NamedTuple):
    """The user of a valid token; what they may do stays known on the user object (see catalog.access)."""

    user: AbstractBaseUser
    name: str
    token: ApiToken
    trusted_until: float


def trusted_caller(digest: str, at: datetime) -> Caller | None:
    """Who was found a moment ago to hold the token of this digest; None when that is to be looked up."""
    known = _callers.get(digest)
    if known is None or time.monotonic() >= known.trusted_until:
        return None
    expires_at = known.token.expires_at
    return known if expires_at is None or expires_at > at else None


def look_up_caller(digest: str, at: datetime) -> Caller | None:
    """Who holds the token of this digest, trusted from now on; None when it is not valid ``at`` that instant."""
    trusted_until = time.monotonic() + TRUSTED_SECONDS
    token = ApiToken.objects.valid(at).select_related("user").filter(digest=digest).first()
    if token is None:
        return None
    caller = Caller(user=token.user, name=token.user.get_username(), token=token, trusted_until=trusted_until)
    _keep(digest, caller)
    return caller


def _keep(digest: str, caller: Caller) -> None:
    room = settings.FEATURESTORE.serving.max_cache_size if settings.FEATURESTORE.performance.query_caching else 0
    if not room:
        return
    with _lock:
        if len(_callers) >= room:
            _callers.clear()
        _callers[digest] = caller


_lock = threading.Lock()
_callers: dict[str, Caller] = {}

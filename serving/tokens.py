"""API tokens: issued once in clear, kept as digests, expiring and revocable."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, QuerySet

from catalog import audit
from catalog.access import Reader
from catalog.clock import now
from catalog.errors import InvalidInput
from catalog.wording import gettext as _
from serving.models import ApiToken, Scope

KEY_PREFIX = "fs_"
_SHOWN_CHARACTERS = 8
_RANDOM_BYTES = 30  # 40 characters of URL-safe base64: 240 bits
_AUDITED = ("user", "name", "prefix", "scopes", "expires_at", "revoked_at")


@dataclass(frozen=True)
class IssuedToken:
    """A new token; ``key`` exists only here and is never readable again."""

    key: str
    token: ApiToken


def tokens_of(user: Reader) -> QuerySet[ApiToken]:
    """The tokens of ``user``: those that are not revoked first, of these the newest first. None of strangers."""
    own = ApiToken.objects.filter(user_id=user.pk) if user.pk is not None else ApiToken.objects.none()
    return own.order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "-pk")


def digest_of(key: str) -> str:
    """What is kept of a key. The keys are long and random, so one round of SHA-256 cannot be guessed back."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def issue_token(
    *, user: AbstractBaseUser, name: str, scopes: Collection[str], expires_at: datetime | None = None
) -> IssuedToken:
    """A new token of ``user``.

    :raises InvalidInput: on an empty name, no or unknown scopes, or an expiry that has no zone or has passed.
    """
    name = name.strip()
    if not name or len(name) > 100:
        raise InvalidInput(_("a token needs a name of 1 to 100 characters, so that it can be told apart later"))
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        told = (
            _("%(unknown)s is no scope; there are %(scopes)s")
            if unknown
            else _("a token without a scope opens nothing; there are %(scopes)s")
        )
        raise InvalidInput(
            told % {"unknown": ", ".join(unknown), "scopes": ", ".join(Scope.values)},
            details={"scopes": Scope.values},
        )
    if expires_at is not None and (expires_at.utcoffset() is None or expires_at <= now()):
        raise InvalidInput(_("the expiry of a token is a time in the future, with a zone"))
    key = KEY_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user_id=user.pk,
            name=name,
            digest=digest_of(key),
            prefix=key[:_SHOWN_CHARACTERS],
            scopes=[scope.value for scope in Scope if scope.value in scopes],
            created_at=now(),
            expires_at=expires_at,
        )
        audit.record(action="issue token", instance=token, after=audit.snapshot(token, _AUDITED))
    return IssuedToken(key=key, token=token)


def revoke_token(token: ApiToken) -> bool:
    """End the token at once and for good; False when it was revoked before."""
    with transaction.atomic():
        locked = ApiToken.objects.select_for_update().get(pk=token.pk)
        if locked.revoked_at is not None:
            return False
        before = audit.snapshot(locked, _AUDITED)
        locked.revoked_at = now()
        locked.save(update_fields=["revoked_at"])
        audit.record(action="revoke token", instance=locked, before=before, after=audit.snapshot(locked, _AUDITED))
    token.revoked_at = locked.revoked_at
    return True

"""What a new store needs before it can be tried: an administrator, a token, an example to ask for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from catalog.audit import record
from catalog.clock import now
from catalog.models import Feature, FeatureVersion
from serving.models import Scope
from serving.stores.online import online_store
from serving.tokens import issue_token

TOKEN_LIFETIME = timedelta(days=90)
_EXAMPLE_FEATURE, _EXAMPLE_ENTITY = "balance_mean", "15634602"


@dataclass(frozen=True)
class Administrator:
    """``password`` is None for one that was there before."""

    user: User
    password: str | None


def ensure_administrator(*, name: str = "admin", password: str | None = None) -> Administrator:
    """The administrator ``name``, made with ``password`` or a random one when it is not there."""
    model = get_user_model()
    with transaction.atomic():
        user = model.objects.filter(username=name).first()
        if user is not None:
            return Administrator(user=user, password=None)
        password = password or secrets.token_urlsafe(12)
        user = model.objects.create_superuser(username=name, password=password)
        record(action="create administrator", instance=user)
    return Administrator(user=user, password=password)


def first_token(administrator: Administrator) -> str:
    """The key of a new token for trying things out; it expires after :data:`TOKEN_LIFETIME`."""
    issued = issue_token(
        user=administrator.user,
        name=f"quickstart {now():%Y-%m-%d %H:%M}",
        scopes=[Scope.READ, Scope.WRITE],
        expires_at=now() + TOKEN_LIFETIME,
    )
    return issued.key


def example_path() -> str | None:
    """The path of an API call that answers with a value; None while nothing was ingested."""
    versions = FeatureVersion.objects.ingested().filter(source_problem="").select_related("feature__group")
    wanted = versions.filter(feature__name=_EXAMPLE_FEATURE).first() or versions.first()
    if wanted is None:
        return None
    if not _is_single(wanted.feature):
        return None
    store, group_id = online_store(), wanted.feature.group_id
    key = _EXAMPLE_ENTITY if store.read({group_id: [_EXAMPLE_ENTITY]}) else store.sample(group_id)
    return None if key is None else f"/api/v1/features/{wanted.feature.name}/entity/{quote(key, safe='')}"


def _is_single(feature: Feature) -> bool:
    return len(feature.entity.join_keys) == 1

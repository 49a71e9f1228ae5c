"""Who is acting, and on which request: read by the audit of every modification."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from django.contrib.auth.models import AbstractBaseUser


class Actor(NamedTuple):
    name: str
    user_id: int | None = None
    request_id: str = ""


SYSTEM = Actor(name="system")
_current: ContextVar[Actor] = ContextVar("featurestore_actor", default=SYSTEM)


def current_actor() -> Actor:
    """The actor of this thread of work; :data:`SYSTEM` where none was set."""
    return _current.get()


@contextmanager
def acting(user: AbstractBaseUser | None, name: str, request_id: str = "") -> Iterator[Actor]:
    """Within the block, modifications are recorded as made by ``name`` (and by ``user`` where there is one)."""
    actor = Actor(name=name, user_id=None if user is None else user.pk, request_id=request_id)
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)


def act_as(user: AbstractBaseUser, name: str) -> Actor:
    """For the rest of the surrounding :func:`acting` block, modifications are made by ``user``.

    For a caller who is known only after the block began, as a token's user is; the request id stays.
    """
    actor = Actor(name=name, user_id=user.pk, request_id=current_actor().request_id)
    _current.set(actor)
    return actor

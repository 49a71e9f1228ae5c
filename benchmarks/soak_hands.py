"""The hands of administrators and stewards: edits made by the product's own verbs, in a process of their own.

``python -m benchmarks.soak_hands``, in the environment of a store, reads one JSON object a line (``do`` and what it
needs) and answers each with one line when the change is committed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()  # the models below need it

from django.contrib.auth.models import Group, User  # noqa: E402
from django.db import close_old_connections, transaction  # noqa: E402

from catalog import audit  # noqa: E402
from catalog.access import Role  # noqa: E402
from catalog.actor import acting  # noqa: E402
from catalog.editing import edit_group  # noqa: E402
from catalog.models import FeatureGroup, ValueGrant  # noqa: E402
from serving.models import ApiToken, Scope  # noqa: E402
from serving.tokens import issue_token, revoke_token  # noqa: E402

_GRANT_FIELDS = ("group", "user", "reason")


def user(*, name: str, role: str) -> str:
    """Make somebody, and a token of theirs."""
    made = User.objects.create_user(name)
    made.groups.add(Group.objects.get(name=role))
    scopes = [Scope.READ] if role == Role.VIEWER.value else [Scope.READ, Scope.WRITE]
    return issue_token(user=made, name="soak", scopes=scopes).key


def token(*, name: str) -> dict[str, Any]:
    issued = issue_token(user=User.objects.get(username=name), name="for a while", scopes=[Scope.READ])
    return {"key": issued.key, "id": issued.token.pk}


def revoke(*, id: int) -> bool:
    return revoke_token(ApiToken.objects.get(pk=id))


def max_age(*, group: str, seconds: float | None) -> None:
    changes = {"max_age": None if seconds is None else timedelta(seconds=seconds)}
    edit_group(group=FeatureGroup.objects.get(name=group), changes=changes, editor=_steward())


def sensitivity(*, group: str, to: str) -> None:
    edit_group(group=FeatureGroup.objects.get(name=group), changes={"sensitivity": to}, editor=_steward())


def grant(*, group: str, name: str) -> None:
    with transaction.atomic():
        made = ValueGrant.objects.create(
            group=FeatureGroup.objects.get(name=group), user=User.objects.get(username=name), reason="soak"
        )
        audit.record(action="create", instance=made, after=audit.snapshot(made, _GRANT_FIELDS))


def take_away(*, group: str, name: str) -> None:
    with transaction.atomic():
        found = ValueGrant.objects.get(group__name=group, user__username=name)
        audit.record(action="delete", instance=found, before=audit.snapshot(found, _GRANT_FIELDS))
        found.delete()


def role(*, name: str, give: bool) -> None:
    """Give somebody the role of a viewer, or take it, as the admin does."""
    viewer = Group.objects.get(name=Role.VIEWER.value)
    groups = User.objects.get(username=name).groups
    if give:
        groups.add(viewer)
    else:
        groups.remove(viewer)


def _steward() -> User:
    return User.objects.get(username="steward")


_HANDS: dict[str, Callable[..., object]] = {
    hand.__name__: hand for hand in (user, token, revoke, max_age, sensitivity, grant, take_away, role)
}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        close_old_connections()
        with acting(None, "soak"):
            answer = _HANDS[asked.pop("do")](**asked)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

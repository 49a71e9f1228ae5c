"""People of the quickstart store, signed in, and the pages there are to visit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.installation import PROJECT
from tests.quick_started import QuickStarted

PASSWORD = "correct horse"
ROLES = ("viewer", "data scientist", "data engineer", "steward")

# Their accounts are made once; every run of the tests gets sessions of its own.
_SIGN_IN = f"""
import django, json
django.setup()
from django.contrib.auth.models import Group, User
from django.test import Client
cookies = {{}}
for role in {ROLES!r} + ("", "administrator"):
    name = "visiting-" + (role.replace(" ", "-") or "stranger")
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create_user(name, password={PASSWORD!r}, is_superuser=role == "administrator")
        user.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(user)
    cookies[role] = client.cookies["sessionid"].value
print(json.dumps(cookies))
"""


@dataclass(frozen=True)
class Demo:
    """The quickstart store as it is served, and the session of one person of each role ("": of none)."""

    address: str
    store: QuickStarted
    sessions: dict[str, str]

    def cookie(self, role: str) -> dict[str, Any]:
        """What signs the person of ``role`` in, as a browser context takes it."""
        return {"name": "sessionid", "value": self.sessions[role], "url": self.address}


def sign_in_all(store: QuickStarted) -> dict[str, str]:
    """One session per role."""
    return dict(json.loads(store.installation.run("-c", _SIGN_IN).splitlines()[-1]))


def crawled(store: QuickStarted, *, username: str, per_route: int) -> list[dict[str, Any]]:
    """What a person meets who follows the links of the store, up to ``per_route`` pages of each kind."""
    script = str(PROJECT / "tests" / "walk_pages.py")
    printed = store.installation.run(script, username, str(per_route), timeout=1_200)
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]

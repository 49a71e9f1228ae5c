"""What one process takes away, every other one refuses within a second, on every database."""

from __future__ import annotations

import json

import pytest

from tests.installation import Installation, printed_by

pytestmark = [pytest.mark.services, pytest.mark.slow]

READER = """
import django
django.setup()
from django.contrib.auth.models import Group, User
from serving.tokens import issue_token
user = User.objects.create_user({name!r})
user.groups.add(Group.objects.get(name="viewer"))
print(issue_token(user=user, name="test", scopes=["read"]).key)
"""
CHANGE = """
import time
import django
django.setup()
from django.contrib.auth.models import User
from catalog.audit import record
from catalog.models import Feature, Status
from serving.models import ApiToken
from serving.tokens import revoke_token
user = User.objects.get(username={name!r})
{change}
print(time.time())
"""
CHANGES = {
    "a token is revoked": ("revoke_token(ApiToken.objects.get(user=user))", 401),
    "a user leaves": ("User.objects.filter(pk=user.pk).update(is_active=False)", 401),
    "a role is taken away": ("user.groups.clear()", 403),
    "a feature is archived": (
        "feature = Feature.objects.get(name='balance_mean')\n"
        "Feature.objects.filter(pk=feature.pk).update(status=Status.ARCHIVED)\n"
        "record(action='archive', instance=feature)",
        404,
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_within_a_second(installation: Installation, what: str) -> None:
    change, refusal = CHANGES[what]
    name = what.replace(" ", "-")
    key = installation.run("-c", READER.format(name=name)).splitlines()[-1]
    reading = installation.start("-m", "tests.services.reading_on", key)
    assert reading.stdout is not None
    assert reading.stdout.readline().strip() == "reading"

    acknowledged = float(installation.run("-c", CHANGE.format(name=name, change=change)).splitlines()[-1])

    seen = json.loads(printed_by(reading).splitlines()[-1])
    assert seen["status"] == refusal
    assert seen["last"] - acknowledged < 1.0

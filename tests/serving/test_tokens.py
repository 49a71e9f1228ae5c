from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.clock import now
from catalog.errors import InvalidInput
from catalog.models import AuditEvent
from serving.models import ApiToken
from serving.tokens import digest_of, issue_token, revoke_token
from tests.stocked_store import make_user

pytestmark = pytest.mark.django_db


def test_only_the_digest_is_kept() -> None:
    issued = issue_token(user=make_user("ana"), name=" model ", scopes=["write", "read"])
    assert re.fullmatch(r"fs_[A-Za-z0-9_-]{40}", issued.key)
    token = ApiToken.objects.get()
    assert (token.name, token.digest, token.prefix) == ("model", digest_of(issued.key), issued.key[:8])
    assert token.scopes == ["read", "write"]
    event = AuditEvent.objects.get()
    assert (event.action, event.object_type) == ("issue token", "apitoken")
    assert issued.key not in str(event.after)
    assert "digest" not in (event.after or {})


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " "},
        {"name": "x" * 101},
        {"scopes": []},
        {"scopes": ["admin"]},
        {"expires_at": now() - timedelta(seconds=1)},
        {"expires_at": datetime(2999, 1, 1)},  # noqa: DTZ001
    ],
)
def test_what_makes_no_token(fields: dict[str, Any]) -> None:
    user = make_user("ana")
    with pytest.raises(InvalidInput):
        issue_token(**{"user": user, "name": "model", "scopes": ["read"], **fields})
    assert not ApiToken.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_token_is_revoked_once() -> None:
    token = issue_token(user=make_user("ana"), name="model", scopes=["read"]).token
    assert revoke_token(token)
    assert token.revoked_at is not None
    assert not revoke_token(ApiToken.objects.get())
    assert [event.action for event in AuditEvent.objects.order_by("id")] == ["issue token", "revoke token"]


def test_the_command_prints_the_key_alone_on_stdout() -> None:
    make_user("ana")
    out, err = io.StringIO(), io.StringIO()
    call_command("create_token", "ana", name="job", scopes=["read", "write"], expires_days=7, stdout=out, stderr=err)
    token = ApiToken.objects.get()
    assert token.digest == digest_of(out.getvalue().strip())
    assert token.expires_at is not None
    assert timedelta(days=6) < token.expires_at - now() <= timedelta(days=7)
    assert "read, write" in err.getvalue()
    for arguments in (["nobody"], ["ana", "--expires-days", "-1"]):
        with pytest.raises(CommandError):
            call_command("create_token", *arguments)

"""Asking the API and reading its JSON."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from catalog.access import Role
from tests.stocked_store import client_of, make_user

Answer = tuple[int, Any]


def ask(client: Client, path: str, **parameters: Any) -> Answer:
    """Status and body of ``GET /api/v1/{path}``."""
    response = client.get(f"/api/v1/{path}", parameters)
    assert response["Content-Type"] == "application/json"
    return response.status_code, json.loads(response.content)


def send(client: Client, method: str, path: str, body: object = None) -> Answer:
    """Status and body of another method, with a JSON body where one is given."""
    data = b"" if body is None else json.dumps(body).encode()
    response = client.generic(method, f"/api/v1/{path}", data, content_type="application/json")
    return response.status_code, json.loads(response.content) if response.content else None


def error_of(answer: Answer) -> tuple[int, str]:
    """Status and code of an answer that is an error of the one shape."""
    status, body = answer
    assert list(body) == ["error"]
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["message"]
    return status, body["error"]["code"]


def caller(role: Role | None, name: str = "", *, writing: bool = True) -> Client:
    """A client with a token of somebody of this role."""
    scopes = ("read", "write") if writing else ("read",)
    return client_of(make_user(name or f"some {role or 'body'}".replace(" ", "-"), role), scopes)

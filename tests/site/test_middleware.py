"""What every request passes through."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from catalog.actor import Actor, current_actor
from featurestore_site.middleware import RequestActor

pytestmark = pytest.mark.django_db


def test_pages_run_no_inline_script_or_style(client: Client) -> None:
    policy = client.get("/login").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy


def test_the_page_of_the_api_has_an_exception_for_styles_only(client: Client) -> None:
    response = client.get("/api/v1/docs")
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"].endswith("style-src 'self' 'unsafe-inline'")
    page = response.content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("a b", False), ("x" * 65, False), ("", False)])
def test_a_request_id_is_taken_over_or_made(client: Client, given: str, kept: bool) -> None:
    answered = client.get("/login", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert (answered == given) is kept
    assert answered


@pytest.mark.parametrize("path", ["/api/v1/metadata/features", "/api/v1/features/no/1", "/api/v1/nothing"])
def test_no_cache_keeps_an_answer_of_the_api(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert {"Authorization", "X-API-Key"} <= {name.strip() for name in headers["Vary"].split(",")}


def test_the_actor_is_the_signed_in_user(client: Client) -> None:
    user = User.objects.create_user("ada")
    client.force_login(user)
    request = RequestFactory().get("/", headers={"X-Request-ID": "r1"})
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    request.user = user
    seen: list[Actor] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_actor())
        return HttpResponse()

    RequestActor(view)(request)
    request.COOKIES = {}
    RequestActor(view)(request)

    assert seen == [Actor("ada", user.pk, "r1"), Actor("anonymous", None, "r1")]


@pytest.mark.parametrize("path", ["featurestore/css/featurestore.css", "admin/css/base.css"])
def test_static_files_are_served_before_they_are_collected(client: Client, path: str) -> None:
    with closing(client.get(f"/static/{path}")) as response:
        assert response.status_code == 200

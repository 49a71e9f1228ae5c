"""schema, docs, the root of the API, and the pages that tell of it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from featurestore_site.openapi import calls_of_the_api
from tests.api.asking import ask

DOCS = Path(__file__).resolve().parents[2] / "docs"
WRITTEN = DOCS / "api" / "openapi.yaml"
AGAIN = "manage.py spectacular --validate --fail-on-warn --file docs/api/openapi.yaml"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("openapi") / "openapi.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(file))
    schema: dict[str, Any] = yaml.safe_load(file.read_text())
    return schema


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    }


def test_the_description_that_is_kept_is_that_of_the_code(generated: dict[str, Any]) -> None:
    assert yaml.safe_load(WRITTEN.read_text()) == generated, f"write it again: {AGAIN}"


def test_every_way_to_identify_oneself_is_described_once() -> None:
    # The library looks a class up where it was named, once it is asked for it.
    targets = [extension.target_class for extension in OpenApiAuthenticationExtension._registry]
    names = [one if isinstance(one, str) else f"{one.__module__}.{one.__name__}" for one in targets if one]
    assert Counter(name for name in names if name.startswith("serving.")) == {
        "serving.authentication.BearerAuthentication": 1,
        "serving.authentication.TokenAuthentication": 1,
    }


def test_every_call_says_who_it_is_for_and_what_can_go_wrong(generated: dict[str, Any]) -> None:
    assert generated["components"]["securitySchemes"]["Token"]["name"] == "Authorization"
    identifiers = [operation["operationId"] for operation in operations(generated).values()]
    assert len(identifiers) == len(set(identifiers))
    for name, operation in operations(generated).items():
        assert re.fullmatch(r"[a-z][a-z_]+", operation["operationId"]), name
        assert operation["summary"], name
        assert not re.search(r":\w+:`", operation.get("description", "")), f"{name} tells of the code"
        if name == "GET /api/v1/health":
            continue
        of_feast = name == "POST /get-online-features"
        assert {"Bearer" if of_feast else "Token": []} in operation["security"], name
        for status in ("400", "401", "403", "429"):
            content = operation["responses"][status]["content"]["application/json"]
            error = "FeastError" if of_feast else "Error"
            assert content["schema"] == {"$ref": f"#/components/schemas/{error}"}, f"{name} {status}"


@pytest.mark.django_db
def test_it_is_served_without_a_token() -> None:
    response = Client().get("/api/v1/schema", headers={"accept": "application/json"})
    assert (response.status_code, response.json()["openapi"][:2]) == (200, "3.")


@pytest.mark.django_db
def test_the_docs_page_asks_no_other_host() -> None:
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)
    addresses = re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    assert len(addresses) >= 4
    assert "unsafe-inline" not in page["Content-Security-Policy"].partition("script-src")[2]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/"])
def test_the_root_lists_the_calls(path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 200
    body = response.json()
    assert body["docs"] == "http://testserver/api/v1/docs"
    assert {
        "method": "GET",
        "path": "/api/v1/health",
        "operation": "health",
        "summary": "Whether the store is well",
    } in (body["calls"])
    assert len(body["calls"]) == len(calls_of_the_api())


@pytest.mark.parametrize("call", calls_of_the_api(), ids=lambda call: f"{call['method']} {call['path']}")
def test_every_call_is_in_the_how_to(call: dict[str, str]) -> None:
    text = (DOCS / "rest.md").read_text()
    assert f"`{call['method']} {call['path'].removeprefix('/api/v1/')}`" in text


@pytest.mark.django_db
def test_the_how_to_names_no_call_that_is_not_there() -> None:
    known = {f"{call['method']} {call['path'].removeprefix('/api/v1/')}" for call in calls_of_the_api()}
    known |= {"GET schema", "GET docs"}
    text = (DOCS / "rest.md").read_text()
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) [a-z][^`]*)`", text))
    assert named == known
    assert ask(Client(), "health")[0] in (200, 503)

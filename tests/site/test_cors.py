"""Pages of other origins, as ``security.cors`` says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.site.test_deployment import manage

ASK = """
import json
from django.test import Client
def ask(origin):
    headers = {"origin": origin, "access-control-request-method": "GET"}
    answer = Client().options("/api/v1/health", headers=headers)
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control")}
print(json.dumps([ask("https://app.example.org"), ask("https://other.example.org")]))
"""


def asked(tmp_path: Path, cors: str) -> list[dict[str, str]]:
    file = tmp_path / "mine.yaml"
    file.write_text(f"security:\n  cors: {cors}\n", encoding="utf-8")
    done = manage(tmp_path, "shell", "-v", "0", "-c", ASK, FEATURESTORE_CONFIG=str(file))
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("cors", ["{enabled: false, allow_origins: ['https://app.example.org']}", "{enabled: true}"])
def test_nobody_unless_named(tmp_path: Path, cors: str) -> None:
    assert asked(tmp_path, cors) == [{}, {}]


def test_who_is_named_with_the_methods_named(tmp_path: Path) -> None:
    named, other = asked(tmp_path, "{enabled: true, allow_origins: ['https://app.example.org'], allow_methods: [GET]}")
    assert named["access-control-allow-origin"] == "https://app.example.org"
    assert named["access-control-allow-methods"] == "GET"
    assert "access-control-allow-origin" not in other

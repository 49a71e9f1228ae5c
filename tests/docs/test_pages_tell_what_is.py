"""The pages of docs/ are compared with the code, so that they cannot go stale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from django.apps import apps
from django.urls import resolve

from catalog import errors
from catalog.errors import FeatureStoreError
from featurestore_site.configuration.environment import VARIABLES
from tests.installation import PROJECT

LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PAGES = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("deploy/*.md")], key=lambda page: str(page)
)


def text_of(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = unquote(link).partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_of_docs_is_linked() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if ":" not in link
    }
    pages = {page.resolve() for page in PAGES if page.parent != PROJECT}
    assert pages - linked == set()


def test_operations_names_every_environment_variable() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", text_of("docs/operations.md").split("## Environment variables")[1]))
    assert set(VARIABLES) - named == set()


def test_every_call_of_the_api_is_documented() -> None:
    page = text_of("docs/rest.md")
    calls = {call.removeprefix("/api/v1/") for call in yaml.safe_load(text_of("docs/api/openapi.yaml"))["paths"]}
    documented = {re.sub(r"\{\w+\}", "{}", call.split("?")[0]) for call in re.findall(r"`(?:[A-Z]+ )?([^`\s]+)`", page)}
    assert {call for call in calls if re.sub(r"\{\w+\}", "{}", call) not in documented} == set()


def family(base: type[FeatureStoreError]) -> Iterator[type[FeatureStoreError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from family(kind)


def test_every_error_code_of_the_api_is_documented() -> None:
    page = text_of("docs/rest.md").split("## Errors")[1].split("\n## ")[0]
    raised = {kind.code: kind.status for kind in family(FeatureStoreError) if kind.__module__ == errors.__name__}
    del raised[errors.ConfigurationError.code]  # it stops the start, and so is never an answer
    for code, status in raised.items():
        assert re.search(rf"^\|[^|]*{status}[^|]*\|[^|]*`{code}`", page, re.MULTILINE), (code, status)


def documented_tables() -> dict[str, list[str]]:
    parts = re.split(r"^### `(\w+)`$", text_of("docs/schema.md").split("## History")[0], flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


def test_every_table_and_column_is_documented_and_no_other() -> None:
    own = [apps.get_app_config(label) for label in ("catalog", "serving", "ingestion")]
    tables = {
        model._meta.db_table: [field.column for field in model._meta.concrete_fields]
        for app in own
        for model in app.get_models(include_auto_created=True)
    }
    assert documented_tables() == tables


def test_the_nullable_columns_are_documented_as_such() -> None:
    page = text_of("docs/schema.md")
    for label in ("catalog", "serving", "ingestion"):
        for model in apps.get_app_config(label).get_models():
            body = page.split(f"### `{model._meta.db_table}`\n")[1].split("\n##")[0]
            for field in model._meta.concrete_fields:
                row = re.search(rf"^\| `{field.column}` \| (.+?) \|", body, re.MULTILINE)
                assert row is not None
                assert ("may be null" in row[1]) is field.null, (model, field)


def test_the_changelog_tells_of_this_version() -> None:
    version = re.search(r'^version = "(.+)"$', text_of("pyproject.toml"), re.MULTILINE)
    assert version is not None
    assert f"\n## {version[1]}\n" in text_of("CHANGELOG.md")


def test_every_dependency_is_in_the_decision_about_them() -> None:
    page = text_of("docs/adr/0011-dependencies.md")
    listed = text_of("pyproject.toml").split("dependencies = [")[1].split("\n]")[0]
    for name in re.findall(r'^\s+"([\w-]+)', listed, re.MULTILINE):
        assert re.search(rf"\b{name}\b", page), name


class TestDeployFiles:
    def test_the_services_of_compose_run_known_commands(self) -> None:
        services = yaml.safe_load(text_of("deploy/compose.yaml"))["services"]
        assert {"web", "worker", "beat", "prepare", "postgres", "redis", "rabbitmq"} == set(services)
        set_there = set(services["web"]["environment"])
        assert set_there <= set(VARIABLES)
        assert {"DATABASE_URL", "CELERY_BROKER_URL", "FEATURESTORE_SECRET_KEY"} <= set_there

    def test_the_image_installs_extras_that_exist(self) -> None:
        [extras] = re.findall(r"pip install --no-cache-dir -e '\.\[(.+?)\]'", text_of("deploy/Dockerfile"))
        for extra in extras.split(","):
            assert re.search(rf"^{extra} = \[", text_of("pyproject.toml"), re.MULTILINE)

    def test_the_units_start_the_processes_of_operations(self) -> None:
        page = text_of("docs/operations.md")
        for unit in sorted((PROJECT / "deploy").glob("*.service")):
            [command] = re.findall(r"^ExecStart=/opt/feature-store/(\.venv/bin/.+)$", unit.read_text(), re.MULTILINE)
            assert " ".join(command.split()[:4]) in page, unit.name


@pytest.mark.parametrize("address", ["/metrics", "/api/v1/health", "/api/v1/stats", "/runs/"])
def test_the_addresses_named_in_operations_are_served(address: str) -> None:
    assert f"{address}`" in text_of("docs/operations.md")
    assert resolve(address)

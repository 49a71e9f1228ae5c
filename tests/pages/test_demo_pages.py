"""The pages of the demo store, followed from link to link: they answer, stay small, and ask nobody else."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any
from urllib.request import urlopen

import pytest

from tests.quick_started import QuickStarted
from tests.visiting import crawled, sign_in_all

pytestmark = pytest.mark.slow

LARGEST = 120 * 1024
MOST_QUERIES = 15
# Names of XML namespaces and licences; nobody asks them for anything.
NAMED_ONLY = {"www.w3.org"}

Pages = list[dict[str, Any]]


# Each address that somebody meets who follows every link of every page, up to so many of each kind.
PER_ROUTE = 3


@pytest.fixture(scope="module", params=["steward", "data-scientist", "viewer"])
def met(quick_started: QuickStarted, request: pytest.FixtureRequest) -> Pages:
    sign_in_all(quick_started)
    return crawled(quick_started, username=f"visiting-{request.param}", per_route=PER_ROUTE)


@pytest.fixture(scope="module")
def pages(met: Pages) -> Pages:
    return [one for one in met if one["html"] and not one["address"].startswith("/api/")]


def test_every_link_leads_somewhere(met: Pages) -> None:
    from_api = [one for one in met if one["address"].startswith("/api/v1/")]
    assert len(from_api) > 30
    assert len(met) - len(from_api) > 30
    assert [
        (one["status"], one["address"], one["linked_from"]) for one in met if one["status"] not in (200, 301, 302)
    ] == []


def test_nobody_is_led_into_an_admin_that_is_not_theirs(pages: Pages) -> None:
    assert {page["address"]: page["admin"] for page in pages if page["admin"]} == {}


def test_somebody_without_a_role_is_told_so_on_every_page_that_is_linked(quick_started: QuickStarted) -> None:
    sign_in_all(quick_started)
    met = crawled(quick_started, username="visiting-stranger", per_route=PER_ROUTE)
    answered = {one["route"]: one["status"] for one in met if one["html"]}
    assert set(answered.values()) == {403}
    assert set(answered) > {"catalog:home", "catalog:search", "ingestion:run-list", "serving:dataset-list"}


def test_every_page_is_small(pages: Pages) -> None:
    assert {page["address"]: page["bytes"] for page in pages if page["bytes"] > LARGEST} == {}


def test_every_page_asks_the_database_little(pages: Pages) -> None:
    most: dict[str, int] = defaultdict(int)
    for page in pages:
        most[page["route"]] = max(most[page["route"]], page["queries"])
    assert {route: count for route, count in most.items() if count > MOST_QUERIES} == {}


def test_no_page_asks_another_host_or_has_code_of_its_own(pages: Pages) -> None:
    assert {page["address"]: page["hosts"] for page in pages if page["hosts"]} == {}
    assert {page["address"]: page["inline"] for page in pages if page["inline"]} == {}


def test_scripts_and_styles_name_no_other_host(pages: Pages, served: str) -> None:
    files = sorted({path for page in pages for path in page["fetched"]})
    assert any(path.endswith(".js") for path in files)
    assert any(path.endswith(".css") for path in files)
    for path in files:
        with urlopen(served + path, timeout=30) as answer:
            text = answer.read().decode()
        assert set(re.findall(r"https?://([\w.-]+)", text)) <= NAMED_ONLY, path

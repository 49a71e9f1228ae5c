"""Every page has a twin in the API: each address of a page is in the table, and what both tell agrees."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from catalog.access import Role
from catalog.following import follow
from catalog.journal import write_entry
from catalog.models import Feature, FeatureGroup
from ingestion.models import IngestionRun, RunState
from serving.tokens import issue_token
from tests import stocked_store as store
from tests.installation import PROJECT
from tests.pages.filled import add_run, fill

pytestmark = pytest.mark.django_db
Numbers = Callable[[str, Any], list[tuple[object, object]]]


def tile(html: str, title: str) -> int:
    """The number that stands under a title."""
    text = html.split(f"<dt>{title}</dt>")[1].split("</dd>")[0]
    return int(re.sub(r"<[^>]+>", " ", text).split()[0].replace(",", ""))


def rows(html: str, heading: str) -> int:
    """How many rows the table beneath a heading has."""
    return html.split(f'id="{heading}"')[1].split("<tbody>")[1].split("</tbody>")[0].count("<tr>")


@dataclass(frozen=True)
class Twin:
    """The page at ``address``, the names of the calls that it links, the first its own, and what must agree."""

    address: str
    calls: tuple[str, ...]
    numbers: Numbers = field(default=lambda html, body: [])  # noqa: ARG005


GROUP_PARTS = ("journal-list", "run-list", "group-quality", "quarantine-list", "group-storage", "group-source")
FEATURE_PARTS = ("journal-list", "feature-profiles", "feature-lineage", "feature-consumers", "feature-similar")
PAGES: dict[str, Twin] = {
    "catalog:home": Twin(
        "/",
        ("api-home",),
        lambda html, body: [
            (tile(html, "Features"), body["features"]),
            (tile(html, "Groups"), body["groups"]),
            (tile(html, "Reads in 30 days"), body["reads"]),
            (tile(html, "Rows online"), body["online_rows"]),
            (tile(html, "Runs in 24 hours"), body["runs_of_day"]),
            (sum(one["count"] for one in body["reads_by_day"]), body["reads"]),
            (body["features_by_day"][-1]["count"], body["features"]),
            (
                re.findall(r'aria-labelledby="list-(\w+)"', html),
                [one["key"] for one in body["lists"]],
            ),
            (
                re.findall(r'class="mono" href="/features/(\w+)/', html),
                [one["feature"].partition(":")[2] for some in body["lists"] for one in some["features"]],
            ),
            (len(re.findall(r'href="/runs/[0-9a-f-]{36}/">[a-z]+ of', html)), len(body["newest_runs"])),
        ],
    ),
    "catalog:search": Twin(
        "/search?q=finance",
        ("feature-search",),
        lambda html, body: [
            (sorted(set(re.findall(r"/features/(\w+)/", html))), sorted(one["name"] for one in body["results"])),
            (3, body["count"]),
        ],
    ),
    "catalog:compare": Twin(
        "/compare?f=finance_f0&f=finance_f1",
        ("compare",),
        lambda html, body: [
            (html.count('<tr class="differs">'), sum(row["differs"] for part in body["parts"] for row in part["rows"]))
        ],
    ),
    "catalog:me": Twin(
        "/me/",
        ("me", "own-token-list"),
        lambda html, body: [
            (["finance:finance_f1"], body["followed_features"]),
            ("finance_f1" in html, True),
        ],
    ),
    "catalog:feature": Twin(
        "/features/finance_f0/",
        ("feature-detail", *FEATURE_PARTS, "feature-quality"),
        lambda html, body: [
            (re.findall(r'class="trust trust--(\w+)"', html), [body["trust"]["state"]]),
            (all(one["text"] in unescape(html) for one in body["trust"]["evidence"]), True),
            (body["statistics"]["null_count"], 10),
        ],
    ),
    "catalog:group-list": Twin(
        "/groups/",
        ("group-list",),
        lambda html, body: [
            (re.findall(r'class="mono" href="/groups/(\w+)/', html), [one["name"] for one in body["results"]]),
            (
                [int(one) for one in re.findall(r'<td class="number">(\d+)</td>', html)],
                [one["feature_count"] for one in body["results"]],
            ),
        ],
    ),
    "catalog:group": Twin(
        "/groups/finance/",
        ("group-detail", *GROUP_PARTS),
        lambda html, body: [
            (set(re.findall(r'href="/features/(\w+)/', html)), {one["name"] for one in body["features"]}),
            (3, body["feature_count"]),
        ],
    ),
    "catalog:service-list": Twin(
        "/services/",
        ("service-list",),
        lambda html, body: [
            (re.findall(r'href="/services/(\w+)/', html), [one["name"] for one in body["results"]]),
        ],
    ),
    "catalog:service": Twin(
        "/services/finance_model/",
        ("service-detail",),
        lambda html, body: [
            (rows(html, "versions"), len(body["features"])),
            (body["weakest"], "customer_finance_f0_v1"),
            (body["features"][0]["trust"]["sentence"] in unescape(html), True),
        ],
    ),
    "catalog:lineage": Twin(
        "/lineage/?feature=finance_f0",
        ("metadata-lineage",),
        lambda html, body: [
            (html.count('class="d-edge"'), len(body["edges"])),
            (rows(html, "impact") if body["impact"] else 0, len(body["impact"])),
        ],
    ),
    "ingestion:quality": Twin(
        "/quality/",
        ("quality",),
        lambda html, body: [
            (tile(html, "Groups that are good"), body["good"]),
            (tile(html, "Failing now"), body["failing"]),
            (tile(html, "Late now"), body["late"]),
            (tile(html, "Features that drifted in 30 days"), body["drifting"]),
            (body["failing"], sum(one["is_failing"] for one in body["groups"])),
        ],
    ),
    "ingestion:run-list": Twin(
        "/runs/?group=finance",
        ("run-list", "run-last-day"),
        lambda html, body: [
            (
                re.findall(r'<td class="nowrap"><a href="/runs/([0-9a-f-]{36})/">', html),
                [one["id"] for one in body["results"]],
            )
        ],
    ),
    "ingestion:run": Twin(
        "/runs/{run}/",
        ("run-detail", "quarantine-list"),
        lambda html, body: [
            (tile(html, "Read"), body["rows_read"]),
            (tile(html, "Kept out"), body["rows_rejected"]),
            (1, body["rows_kept_out"]),
            (3, len(body["report"]["results"])),
        ],
    ),
    "ingestion:run-compare": Twin(
        "/runs/compare/?run={run}&run={other}",
        ("run-compare",),
        lambda html, body: [
            (all(f"<td>{line['first']}</td>" in html for line in body["lines"] if line["differs"]), True)
        ],
    ),
    "serving:dataset-list": Twin(
        "/datasets/", ("dataset-list",), lambda html, body: [(html.count("<tbody>"), body["count"])]
    ),
    "serving:my-tokens": Twin(
        "/me/tokens/",
        ("own-token-list",),
        lambda html, body: [
            (re.findall(r"fs_\w{5}", html), [one["prefix"] for one in body["results"]]),
        ],
    ),
    "serving:api-guide": Twin("/api-guide/", ("api-root",)),
    "serving:entity-lookup-of": Twin(
        "/entities/customer/?key=1&purpose=test",
        ("entity-lookup",),
        lambda html, body: [(3, len(body["features"])), (html.count("/features/finance_f0/"), 2)],
    ),
    "serving:entity-value": Twin("/features/finance_f0/entity/?key=1", ("explain-by-keys",)),
}
# What has its own test, because it needs more than this store, or is told by another address.
ELSEWHERE = {
    "serving:dataset": "tests/pages/test_datasets.py",
    "serving:entity-lookup": "the same page as entity-lookup-of, for those who have not chosen an entity",
}
# No page: what is sent by forms, parts of pages, files, addresses that only lead on.
NO_PAGE = {
    "catalog:palette": "part of every page; its twin is the search",
    "catalog:save-view": "sent by a form",
    "catalog:remove-view": "sent by a form",
    "catalog:ask-for-feature": "sent by a form",
    "catalog:feature-list": "leads to the search",
    "catalog:follow-feature": "sent by a form",
    "catalog:write-on-feature": "sent by a form",
    "catalog:follow-group": "sent by a form",
    "catalog:write-on-group": "sent by a form",
    "catalog:close-incident": "sent by a form",
    "catalog:make-service": "sent by a form",
    "catalog:lineage-drawing": "a file",
    "serving:verify-dataset": "sent by a form",
    "serving:archive-dataset": "sent by a form",
    "serving:revoke-my-token": "sent by a form",
    "ingestion:load-demo": "sent by a form",
    "ingestion:demo-progress": "part of home",
    "ingestion:run-again": "sent by a form",
    "ingestion:request-run": "sent by a form",
    "login": "signing in",
    "logout": "signing out",
}


def names(resolver: URLResolver, before: str = "") -> set[str]:
    """The names of all addresses of pages."""
    found: set[str] = set()
    for entry in resolver.url_patterns:
        space = f"{before}{entry.namespace}:" if isinstance(entry, URLResolver) and entry.namespace else before
        if str(entry.pattern).startswith(("api/", "^api", "admin/", "metrics")):
            continue
        if isinstance(entry, URLResolver):
            found |= names(entry, space)
        elif isinstance(entry, URLPattern) and entry.name:
            found.add(f"{before}{entry.name}")
    return found


@pytest.fixture
def stocked(viewer: Client) -> None:
    """Two groups, of one a run that failed; ``vera`` follows a feature and has a token."""
    group = fill()
    fill("second", features=2)
    add_run(group, RunState.FAILED)
    vera = User.objects.get(username="vera")
    follow(user=vera, subject=Feature.objects.get(name="finance_f1"))
    issue_token(user=vera, name="mine", scopes=["read"])
    for name in ("finance_f0", "finance_f1", "finance_f2"):
        store.put_online(group, "1", {f"{name}_v1": 1.5})
    store.put_history(group, [{"key": "1", "event": store.DAY, "finance_f0_v1": 1.5}])
    FeatureGroup.objects.filter(name="second").update(status="archived")


def filled_in(address: str) -> str:
    runs = IngestionRun.objects.filter(group__name="finance").order_by("created_at")
    return address.format(run=runs[0].pk, other=runs[1].pk)


def twins_of(html: str) -> list[str]:
    """The addresses that the head of a page names as its twins; those at its foot are the same."""
    head = re.findall(r'<link rel="alternate" type="application/json" href="([^"]+)"', html)
    foot = re.findall(r'<a href="([^"]+)" type="application/json">', html.split('class="site-footer"')[1])
    assert head == foot
    return [unescape(one) for one in head]


def call_of(address: str) -> str:
    return resolve(urlsplit(address).path).view_name


def test_every_address_of_a_page_is_in_the_table() -> None:
    assert names(get_resolver()) - {"feast-online"} == {*PAGES, *ELSEWHERE, *NO_PAGE}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_its_twins_and_each_answers_who_reads_it(page: str, viewer: Client, stocked: None) -> None:
    twin = PAGES[page]
    answer = viewer.get(filled_in(twin.address))
    assert answer.status_code == 200
    html = answer.content.decode()
    addresses = twins_of(html)

    assert tuple(call_of(one) for one in addresses) == twin.calls
    bodies = []
    for one in addresses:
        told = viewer.get(one)
        assert (told.status_code, told["Content-Type"]) == (200, "application/json"), (one, told.content[:300])
        bodies.append(json.loads(told.content))
    for shown, said in twin.numbers(html, bodies[0]):
        assert shown == said


@pytest.mark.parametrize("page", PAGES)
def test_strangers_get_no_twin(page: str, viewer: Client, stranger: Client, anonymous: Client, stocked: None) -> None:
    addresses = twins_of(viewer.get(filled_in(PAGES[page].address)).content.decode())
    for one in addresses:
        if call_of(one) != "api-root":  # the list of calls needs no token
            assert anonymous.get(one).status_code == 401, one
            assert stranger.get(one).status_code == 403, one


def test_the_table_of_the_manual_has_every_page() -> None:
    part = (PROJECT / "docs" / "rest.md").read_text(encoding="utf-8").split("## Pages and their twins")[1]
    documented = re.findall(r"^\| `(/[^`]*)` \|", part.split("\n## ")[0], re.MULTILINE)
    shown = {resolve(re.sub(r"\{id\}", "00000000-0000-0000-0000-000000000001", one)).view_name for one in documented}
    assert shown == {*PAGES, "serving:dataset"}


class TestQueryOfThePage:
    def test_the_second_page_of_a_search_is_the_second_page_of_its_twin(self, viewer: Client) -> None:
        fill(features=30)
        html = viewer.get("/search?q=finance&layout=table&page=2").content.decode()
        [address] = twins_of(html)
        asked = parse_qs(urlsplit(address).query)
        assert (asked["page"], asked["page_size"], "layout" in asked) == (["2"], ["24"], False)
        body = viewer.get(address).json()
        assert (body["count"], len(body["results"])) == (30, 6)
        assert all(f"/features/{one['name']}/" in html for one in body["results"])

    def test_a_search_for_nothing_is_the_list(self, viewer: Client) -> None:
        fill()
        [address] = twins_of(viewer.get("/search?ordering=-name").content.decode())
        assert call_of(address) == "feature-list"
        assert [one["name"] for one in viewer.get(address).json()["results"]] == [
            "finance_f2",
            "finance_f1",
            "finance_f0",
        ]

    def test_the_filters_of_runs_are_those_of_both_twins(self, viewer: Client) -> None:
        add_run(fill(), RunState.FAILED)
        fill("second")
        runs, day = twins_of(viewer.get("/runs/?state=failed&group=&utm=x").content.decode())
        assert runs.endswith("/runs?state=failed&page=1&page_size=25")
        assert [one["state"] for one in viewer.get(runs).json()["results"]] == ["failed"]
        assert [one["group"] for one in viewer.get(day).json()["groups"]] == ["finance"]

    def test_the_lineage_of_what_is_not_chosen_yet_is_the_list(self, viewer: Client) -> None:
        fill()
        [address] = twins_of(viewer.get("/lineage/?q=f1").content.decode())
        assert [one["name"] for one in viewer.get(address).json()["results"]] == ["finance_f1"]


class TestWhoSeesWhat:
    def test_the_audit_is_a_twin_for_those_who_edit(self, viewer: Client, engineer: Client) -> None:
        fill()
        parts = {
            client: [call_of(one) for one in twins_of(client.get("/features/finance_f0/").content.decode())]
            for client in (viewer, engineer)
        }
        assert "feature-audit" not in parts[viewer]
        assert "feature-audit" in parts[engineer]

    def test_the_journal_of_a_feature_has_what_is_of_its_group(self, viewer: Client) -> None:
        group = fill()
        writer = store.make_user("writer", Role.STEWARD)
        write_entry(subject=group, text="Of the whole group.", writer=writer)
        write_entry(subject=Feature.objects.get(name="finance_f0"), text="Of the feature.", writer=writer)
        write_entry(subject=Feature.objects.get(name="finance_f1"), text="Of another.", writer=writer)
        html = viewer.get("/features/finance_f0/").content.decode()
        [address] = [one for one in twins_of(html) if call_of(one) == "journal-list"]
        assert {one["text"] for one in viewer.get(address).json()["results"]} == {
            "Of the whole group.",
            "Of the feature.",
        }

"""What holds for every page: who may open it, that it is safe, and that its queries do not grow."""

from __future__ import annotations

import dataclasses
import re

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from featurestore_site.configuration import Configuration
from ingestion.models import IngestionRun
from tests import stocked_store as store
from tests.pages.filled import HOSTILE, add_run, fill

PAGES = (
    "/",
    "/search",
    "/search?layout=table",
    "/search?q=finance",
    "/search?q=nothing_at_all_like_it",
    "/compare?f=finance_f0&f=finance_f1",
    "/features/finance_f0/",
    "/api-guide/",
    "/groups/",
    "/groups/finance/",
    "/services/",
    "/services/finance_model/",
    "/lineage/",
    "/lineage/?feature=finance_f0",
    "/quality/",
    "/runs/",
    "/runs/{run}/",
)


def address(page: str) -> str:
    return page.format(run=IngestionRun.objects.filter(group__name="finance").earliest("created_at").pk)


@pytest.mark.parametrize("page", PAGES)
def test_strangers_are_asked_to_sign_in_and_come_back(page: str, anonymous: Client) -> None:
    fill()
    answer = anonymous.get(address(page))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=/")


@pytest.mark.parametrize("page", PAGES)
def test_an_account_without_a_role_is_told_so(page: str, stranger: Client) -> None:
    fill()
    answer = stranger.get(address(page))
    assert answer.status_code == 403
    assert "see_metadata" in answer.content.decode()
    assert "finance" not in answer.content.decode().replace("/login", "")


@pytest.mark.parametrize("page", PAGES)
def test_viewers_and_stewards_may_open_it(page: str, viewer: Client, steward: Client) -> None:
    fill()
    assert viewer.get(address(page)).status_code == 200
    assert steward.get(address(page)).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_without_authentication_everybody_reads_what_a_viewer_may(
    page: str, anonymous: Client, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill()
    open_to_all = configuration.security.model_copy(update={"api_authentication": False})
    changed = dataclasses.replace(configuration, security=open_to_all)
    monkeypatch.setattr(django_settings, "FEATURESTORE", changed)
    answer = anonymous.get(address(page))
    assert answer.status_code == 200
    assert "Ingest now" not in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_queries_do_not_grow_with_the_rows(page: str, steward: Client) -> None:
    fill(features=3)
    asked = address(page)
    steward.get(asked)
    with CaptureQueriesContext(connection) as few:
        assert steward.get(asked).status_code == 200
    for number in range(27):
        version = store.make_feature(IngestionRun.objects.first().group, f"more_{number}")  # type: ignore[union-attr]
        version.feature.tags.create(name=f"tag{number}")
    for name in ("second", "third", "fourth"):
        fill(name, features=9)
    steward.get(asked)  # the first search after a change takes it over
    with CaptureQueriesContext(connection) as many:
        assert steward.get(asked).status_code == 200
    assert len(many) == len(few), [query["sql"] for query in many]
    assert len(many) <= 15, "\n".join(query["sql"][:200] for query in many)


@pytest.mark.parametrize("page", PAGES)
def test_the_html_holds_no_inline_code_and_no_other_host(page: str, steward: Client) -> None:
    fill()
    answer = steward.get(address(page))
    html = answer.content.decode()
    assert not re.search(r"\sstyle=", html)
    assert not re.search(r"\son\w+=", html)
    assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)", html)
    assert "<style" not in html
    hosts = set(re.findall(r"(?:src|href|action)=\"(https?://[^/\"]+)", html))
    assert hosts == set()
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("page", PAGES)
def test_hostile_texts_are_shown_as_they_are(page: str, steward: Client) -> None:
    group = fill()
    group.description = group.owner = HOSTILE
    group.save()
    for feature in group.features.all():
        feature.description = feature.owner = feature.unit = HOSTILE
        feature.save()
        feature.versions.update(
            source_column=HOSTILE, change_note=HOSTILE, inherited={HOSTILE: HOSTILE}, source_problem=HOSTILE
        )
        feature.tags.create(name=f"{HOSTILE}{feature.pk}")
        feature.lineage_nodes.update(name=f"{HOSTILE}{feature.pk}")
    add_run(group, requested_by=HOSTILE, log=HOSTILE, error=HOSTILE, problems=[{"code": HOSTILE, "message": HOSTILE}])
    html = steward.get(address(page)).content.decode()
    assert "<script>alert" not in html


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_and_says_as_of_when_it_is(page: str, viewer: Client) -> None:
    fill()
    html = viewer.get(address(page)).content.decode()
    assert html.count("<h1") == 1
    assert html.count("<title>") >= 1
    assert "as of <time" in html
    ids = re.findall(r"\sid=\"([^\"]+)\"", html)
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("address", ["/features/finance_f0", "/groups/finance", "/lineage"])
def test_an_address_without_its_last_slash_is_found(address: str, viewer: Client) -> None:
    fill()
    answer = viewer.get(address + "?group=finance")
    assert (answer.status_code, answer["Location"]) == (301, f"{address}/?group=finance")


@pytest.mark.parametrize(
    "address",
    [
        "/features/a%00b/",
        "/features/finance_f0/?group=%00",
        "/lineage/?feature=%00",
        "/groups/%00/",
        "/runs/?group=%00",
    ],
)
def test_a_null_character_is_a_bad_request(address: str, viewer: Client) -> None:
    fill()
    assert viewer.get(address).status_code == 400

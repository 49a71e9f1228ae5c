"""The page of one entity's value: what it is, and why."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from catalog.models import FeatureGroup
from serving.access_log import access_folder
from tests import stocked_store as store
from tests.datasets_made import add, day, stocked_group
from tests.pages.filled import HOSTILE

pytestmark = pytest.mark.django_db

PAGE = "/features/balance/entity/"


@pytest.fixture
def group() -> FeatureGroup:
    return stocked_group()


def records() -> list[dict[str, object]]:
    return [json.loads(line) for path in access_folder().glob("*") for line in path.read_text().splitlines()]


def test_who_may_open_it(group: FeatureGroup, viewer: Client, stranger: Client, anonymous: Client) -> None:
    assert viewer.get(PAGE).status_code == 200
    assert stranger.get(f"{PAGE}?key=1").status_code == 403
    assert anonymous.get(f"{PAGE}?key=1")["Location"].startswith("/login?next=/features/balance/entity/")
    assert viewer.get(PAGE[:-1] + "?key=1")["Location"] == f"{PAGE}?key=1"
    assert records() == []


def test_the_value_and_why(group: FeatureGroup, viewer: Client) -> None:
    add(group, "1", 5, created=day(6), balance=55.0)

    answer = viewer.get(f"{PAGE}?key=1&at=2025-01-05")

    html = answer.content.decode()
    assert answer.status_code == 200
    assert "<dt>Value</dt><dd>55</dd>" in html
    assert "<dt>Table version</dt><dd>4</dd>" in html
    for rule in ("older_created", "older_event"):
        assert f"<code>{rule}</code>" in html
    assert "no-store" in answer["Cache-Control"]
    [record] = records()
    assert (record["caller"], record["entities"], record["features"]) == ("vera", 1, ["customer_balance_v1"])


def test_as_it_was_known(group: FeatureGroup, viewer: Client) -> None:
    html = viewer.get(f"{PAGE}?key=1&as_known_at=2025-01-03").content.decode()
    assert "<dt>Value</dt><dd>10</dd>" in html
    assert "<code>not_known_yet</code>" in html


def test_an_entity_without_rows(group: FeatureGroup, viewer: Client) -> None:
    html = viewer.get(f"{PAGE}?key=404").content.decode()
    assert "NOT_FOUND" in html
    assert "Its history has no row" in html


def test_composite_keys(viewer: Client) -> None:
    accounts = store.make_group("accounts", entity=store.make_entity("account", ("bank", "number")))
    store.make_feature(accounts, "limit")
    store.put_history(accounts, [{"key": "A|7", "event": day(1), "limit_v1": 900.0}])
    html = viewer.get("/features/limit/entity/?key=A&key=7").content.decode()
    assert "<dt>Value</dt><dd>900</dd>" in html
    assert viewer.get("/features/limit/entity/?key=A").status_code == 400
    assert viewer.get("/features/limit/entity/?key=A&key=").status_code == 400


def test_masked_values(viewer: Client, steward: Client) -> None:
    people = store.make_group("people", sensitivity="personal")
    store.make_feature(people, "surname", "string", mask="partial")
    store.put_history(people, [{"key": "1", "event": day(1), "surname_v1": "Nováková"}])
    html = viewer.get("/features/surname/entity/?key=1").content.decode()
    assert "***vá" in html
    assert "are masked here" in html
    assert "Nováková" not in html
    assert "Nováková" in steward.get("/features/surname/entity/?key=1").content.decode()


def test_hostile_keys_and_values(group: FeatureGroup, viewer: Client) -> None:
    store.make_feature(group, "note", "string")
    store.put_history(group, [{"key": HOSTILE, "event": day(1), "note_v1": HOSTILE}])
    html = viewer.get("/features/note/entity/", {"key": HOSTILE}).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize("query", ["key=1&at=noon", "key=1&at=2025-01-01T00:00:00", "key=%00", "key=1&version=x"])
def test_what_makes_no_sense(query: str, group: FeatureGroup, viewer: Client) -> None:
    assert viewer.get(f"{PAGE}?{query}").status_code == 400
    assert viewer.get("/features/balanse/entity/?key=1").status_code == 404


def test_the_feature_page_leads_here(group: FeatureGroup, viewer: Client) -> None:
    html = viewer.get("/features/balance/").content.decode()
    assert f'action="{PAGE}"' in html
    assert '<label for="key-1">customer_id</label>' in html

"""The page of one entity: every feature, online and at an instant."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.models import Feature, FeatureGroup, FeatureVersion, Status
from serving.access_log import access_folder
from tests import stocked_store as store
from tests.api.asking import ask, caller, error_of
from tests.pages.filled import HOSTILE, add_profile

pytestmark = pytest.mark.django_db
PAGE = "/entities/customer/"
DAY = store.DAY


@pytest.fixture
def group() -> FeatureGroup:
    """Balance 10, then 42 a day later, which is also what is online; a limit that only history has."""
    made = store.make_group("finance")
    balance = store.make_feature(made, "balance")
    store.make_feature(made, "limit", "integer")
    add_profile(balance)
    store.put_history(
        made,
        [
            {"key": "7", "event": DAY, "balance_v1": 10.0, "limit_v1": 900},
            {"key": "7", "event": DAY + timedelta(days=1), "balance_v1": 42.0, "limit_v1": None},
        ],
    )
    store.put_online(made, "7", {"balance_v1": 42.0, "limit_v1": 5}, event=DAY + timedelta(days=1))
    return made


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for path in access_folder().glob("*") for line in path.read_text().splitlines()]


def rows_of(client: Client, **query: str) -> dict[str, Any]:
    answer = client.get(PAGE, {"purpose": "support case 12", **query})
    assert answer.status_code == 200, answer.content
    return {row["feature"].name: row for row in answer.context["rows"]}


def test_now_every_feature_in_both_stores(group: FeatureGroup, viewer: Client) -> None:
    rows = rows_of(viewer, key="7")

    balance, limit = rows["balance"]["look"], rows["limit"]["look"]
    assert (balance.offline.value, balance.online.value, balance.agreement.value) == (42.0, 42.0, "same")
    assert (limit.offline.value, limit.offline.status, limit.online.value) == (None, "NULL_VALUE", 5)
    assert limit.agreement.value == "differs"
    assert rows["balance"]["position"][1] == "50–75%"
    html = viewer.get(PAGE, {"key": "7", "purpose": "support case 12"}).content.decode()
    assert "one value differs between the stores" in html
    assert "drawing--percentiles" in html
    assert 'href="/features/balance/entity/?group=finance&amp;version=1.0&amp;key=7"' in html


def test_at_an_instant_and_against_the_max_age(group: FeatureGroup, viewer: Client) -> None:
    FeatureGroup.objects.filter(pk=group.pk).update(max_age=timedelta(days=2))

    rows = rows_of(viewer, key="7", at="2025-03-01T12:00:00Z")
    balance = rows["balance"]["look"]
    assert (balance.offline.value, balance.agreement.value, balance.age) == (10.0, "changed", timedelta(hours=12))
    assert balance.online.status == "OUTSIDE_MAX_AGE"
    assert rows["balance"]["position"][1] == "0–25%"
    late = rows_of(viewer, key="7", at="2025-03-09")["balance"]["look"]
    assert (late.offline.status, late.age) == ("OUTSIDE_MAX_AGE", None)
    early = rows_of(viewer, key="7", at="2025-02-01")["balance"]["look"]
    assert early.offline.status == "NOT_FOUND"
    assert rows_of(viewer, key="404")["balance"]["look"].offline.status == "NOT_FOUND"


def test_a_purpose_is_asked_for_and_kept(group: FeatureGroup, viewer: Client) -> None:
    html = viewer.get(PAGE, {"key": "7"}).content.decode()
    assert "Say what you look the entity up for" in html
    assert "42" not in html.split("<main")[1]
    assert records() == []
    assert viewer.get(PAGE, {"key": "7", "purpose": "x"}).status_code == 400

    rows_of(viewer, key="7")

    [record] = records()
    assert (record["caller"], record["purpose"], record["entities"]) == ("vera", "support case 12", 1)
    assert record["features"] == ["customer_balance_v1", "customer_limit_v1"]


def test_who_may_open_it(group: FeatureGroup, stranger: Client, anonymous: Client, viewer: Client) -> None:
    assert stranger.get(PAGE, {"key": "7", "purpose": "case"}).status_code == 403
    assert anonymous.get(PAGE)["Location"].startswith("/login?next=/entities/customer/")
    assert viewer.get("/entities/")["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert records() == []


def test_what_is_personal_is_masked_and_what_is_archived_hidden(
    group: FeatureGroup, viewer: Client, steward: Client
) -> None:
    Feature.objects.filter(name="balance").update(sensitivity="personal")
    Feature.objects.filter(name="limit").update(status=Status.ARCHIVED)

    rows = rows_of(viewer, key="7")
    assert list(rows) == ["balance"]
    look = rows["balance"]["look"]
    assert (look.offline.value, look.online.value, look.offline.status) == (None, None, "MASKED")
    assert (look.agreement.value, rows["balance"]["position"]) == ("not_compared", None)
    assert rows_of(steward, key="7")["balance"]["look"].offline.value == 42.0


def test_composite_keys_and_several_entities(group: FeatureGroup, viewer: Client) -> None:
    accounts = store.make_group("accounts", entity=store.make_entity("account", ("bank", "number")))
    store.make_feature(accounts, "cap")
    store.put_history(accounts, [{"key": "A|7", "event": DAY, "cap_v1": 900.0}])

    assert '<option value="account">' in viewer.get("/entities/").content.decode()
    answer = viewer.get("/entities/account/", {"key": ["A", "7"], "purpose": "case 1"})
    assert answer.context["rows"][0]["look"].offline.value == 900.0
    assert viewer.get("/entities/account/", {"key": ["A"], "purpose": "case 1"}).status_code == 400
    assert viewer.get("/entities/nothing/").status_code == 404
    assert '<label for="key-2">number</label>' in viewer.get("/entities/?entity=account").content.decode()


@pytest.mark.parametrize("at", ["noon", "2025-01-01T00:00:00"])
def test_an_instant_that_makes_no_sense(at: str, group: FeatureGroup, viewer: Client) -> None:
    assert viewer.get(PAGE, {"key": "7", "purpose": "case", "at": at}).status_code == 400


def test_hostile_texts(group: FeatureGroup, viewer: Client) -> None:
    store.make_feature(group, "note", "string")
    store.put_history(group, [{"key": HOSTILE, "event": DAY, "note_v1": HOSTILE}])
    html = viewer.get(PAGE, {"key": HOSTILE, "purpose": HOSTILE}).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_as_many_queries_for_many_features_as_for_few(group: FeatureGroup, viewer: Client) -> None:
    query = {"key": "7", "purpose": "case 1"}
    viewer.get(PAGE, query)
    with CaptureQueriesContext(connection) as few:
        viewer.get(PAGE, query)
    for number in range(60):
        store.make_feature(group, f"more_{number}")
    with CaptureQueriesContext(connection) as many:
        html = viewer.get(PAGE, query).content.decode()
    assert len(few) == len(many) <= 15, [one["sql"] for one in many]
    assert "Page 1 of 2" in html
    assert len(html.encode()) <= 120_000


def test_the_same_by_the_api(group: FeatureGroup) -> None:
    url, query = "entities/customer", {"customer_id": "7", "purpose": "case 1", "at": "2025-03-01T12:00:00Z"}

    status, body = ask(caller(Role.VIEWER), url, **query)

    assert (status, body["entity_id"], body["at"]) == (200, "7", "2025-03-01T12:00:00.000000Z")
    assert body["features"][0] == {
        "feature": "finance:balance",
        "feature_id": "customer_balance_v1",
        "version": "1.0",
        "masked": False,
        "online_value": 42.0,
        "online_status": "PRESENT",
        "value": 10.0,
        "status": "PRESENT",
        "agreement": "changed",
        "event_timestamp": "2025-03-01T00:00:00.000000Z",
        "created_timestamp": "2025-03-01T00:00:00.000000Z",
        "age_seconds": 43200.0,
        "max_age_seconds": None,
        "run_id": "run",
    }
    assert records()[-1]["purpose"] == "case 1"
    viewer = caller(Role.VIEWER, "vera")
    assert error_of(ask(viewer, url, customer_id="7")) == (400, "invalid_input")
    assert error_of(ask(viewer, url, purpose="case 1")) == (400, "invalid_input")
    assert error_of(ask(viewer, url, **query, colour="red")) == (400, "invalid_input")
    assert error_of(ask(viewer, "entities/nothing", **query)) == (404, "not_found")
    assert error_of(ask(caller(None), url, **query)) == (403, "permission_denied")
    assert FeatureVersion.objects.count() == 2

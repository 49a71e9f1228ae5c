"""GET features/{reference}/entity/{entity_id}."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureGroup, FeatureVersion, Status, ValueGrant
from tests.stocked_store import (
    DAY,
    client_of,
    make_entity,
    make_feature,
    make_group,
    make_user,
    put_online,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> FeatureGroup:
    return make_group()


@pytest.fixture
def reader() -> Client:
    return client_of(make_user("reader", Role.VIEWER))


def value(client: Client, path: str) -> tuple[int, dict[str, Any]]:
    response = client.get(f"/api/v1/features/{path}")
    assert response["Content-Type"] == "application/json"
    return response.status_code, json.loads(response.content)


def test_a_value_with_its_provenance(group: FeatureGroup, reader: Client) -> None:
    make_feature(group, "balance_mean")
    put_online(group, "15634602", {"balance_mean_v1": 161993.89})
    assert value(reader, "balance_mean/entity/15634602") == (
        200,
        {
            "entity_id": "15634602",
            "feature": "balance_mean",
            "feature_id": "customer_balance_mean_v1",
            "version": "1.0",
            "value": 161993.89,
            "status": "PRESENT",
            "event_timestamp": "2025-03-01T00:00:00.000000Z",
            "created_timestamp": "2025-03-01T01:00:00.000000Z",
        },
    )


def test_who_may_not_read_reads_nothing(group: FeatureGroup) -> None:
    make_feature(group, "balance_mean")
    put_online(group, "1", {"balance_mean_v1": 1.5})
    status, body = value(client_of(make_user("without role")), "balance_mean/entity/1")
    assert (status, body["error"]["code"]) == (403, "permission_denied")
    stranger = client_of(None).get("/api/v1/features/balance_mean/entity/1")
    assert stranger.status_code == 401
    assert stranger["WWW-Authenticate"] == "Token"
    assert stranger.json()["error"]["code"] == "not_authenticated"


@pytest.mark.parametrize("number", [2**53 + 1, -(2**63), 2**63 - 1])
def test_integers_are_exact(group: FeatureGroup, reader: Client, number: int) -> None:
    make_feature(group, "visits", "integer")
    put_online(group, "1", {"visits_v1": number})
    response = reader.get("/api/v1/features/visits/entity/1")
    assert f'"value":{number},' in response.content.decode()


@pytest.mark.parametrize("key", ["a/b/c", "ключ-日本", "1%2", "a b", "x|y", "\\", "a/", "é"])
def test_any_text_can_be_an_entity_id(group: FeatureGroup, reader: Client, key: str) -> None:
    make_feature(group, "balance_mean")
    put_online(group, key, {"balance_mean_v1": 2.0})
    status, body = value(reader, f"balance_mean/entity/{quote(key)}")
    assert (status, body["entity_id"], body["value"]) == (200, key, 2.0)


def test_composite_keys_do_not_collide(reader: Client) -> None:
    group = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(group, "limit")
    put_online(group, "1|23", {"limit_v1": 1.0})
    put_online(group, "12|3", {"limit_v1": 2.0})
    status, body = value(reader, "limit/entity?bank=1&number=23")
    assert (status, body["value"], body["entity_id"]) == (200, 1.0, {"bank": "1", "number": "23"})
    assert value(reader, "limit/entity?bank=12&number=3")[1]["value"] == 2.0
    status, body = value(reader, "limit/entity/1")
    assert (status, body["error"]["details"]["join_keys"]) == (400, ["bank", "number"])
    assert value(reader, "limit/entity?bank=12")[0] == 400
    assert value(reader, "limit/entity?bank=12&number=3&number=4")[0] == 400


def test_a_null_that_is_stored_is_the_answer(group: FeatureGroup, reader: Client) -> None:
    make_feature(group, "balance_mean", default_value=7.0)
    put_online(group, "1", {"balance_mean_v1": None})
    status, body = value(reader, "balance_mean/entity/1")
    assert (status, body["value"], body["status"]) == (200, None, "NULL_VALUE")


def test_an_entity_without_a_value_is_not_found(group: FeatureGroup, reader: Client) -> None:
    make_feature(group, "balance_mean")
    status, body = value(reader, "balance_mean/entity/404")
    assert (status, body["error"]["code"]) == (404, "unknown_entity")


def test_a_default_stands_in(group: FeatureGroup, reader: Client) -> None:
    make_feature(group, "balance_mean", default_value=7.0)
    status, body = value(reader, "balance_mean/entity/404")
    assert (status, body["value"], body["status"], body["event_timestamp"]) == (200, 7.0, "NOT_FOUND", None)


def test_a_value_beyond_the_max_age_is_not_used(reader: Client) -> None:
    group = make_group("daily", max_age=timedelta(days=1))
    make_feature(group, "score")
    put_online(group, "old", {"score_v1": 1.0}, event=now() - timedelta(days=1, seconds=5))
    put_online(group, "young", {"score_v1": 2.0}, event=now() - timedelta(hours=23))
    status, body = value(reader, "score/entity/old")
    assert (status, body["value"], body["status"]) == (200, None, "OUTSIDE_MAX_AGE")
    assert body["event_timestamp"] is not None
    assert value(reader, "score/entity/young")[1]["status"] == "PRESENT"


def test_an_event_that_is_still_to_come_does_not_count(group: FeatureGroup, reader: Client) -> None:
    make_feature(group, "balance_mean")
    put_online(group, "1", {"balance_mean_v1": 1.0}, event=now() + timedelta(hours=1))
    assert value(reader, "balance_mean/entity/1")[0] == 404


def test_an_unknown_created_timestamp_is_null(group: FeatureGroup, reader: Client) -> None:
    make_feature(group, "balance_mean")
    put_online(group, "1", {"balance_mean_v1": 1.0}, created=None)
    assert value(reader, "balance_mean/entity/1")[1]["created_timestamp"] is None


def test_versions_side_by_side(group: FeatureGroup, reader: Client) -> None:
    first = make_feature(group, "balance_mean")
    FeatureVersion.objects.create(feature=first.feature, major=2, minor=0, data_type="integer")
    put_online(group, "1", {"balance_mean_v1": 1.5, "balance_mean_v2": 2})
    assert value(reader, "balance_mean/entity/1")[1]["value"] == 1.5
    for path in ("balance_mean@2.0/entity/1", "balance_mean/entity/1?version=2", "finance:balance_mean@2/entity/1"):
        status, body = value(reader, path)
        assert (status, body["value"], body["feature_id"]) == (200, 2, "customer_balance_mean_v2")
    assert value(reader, "balance_mean@1.0/entity/1?version=2")[0] == 400
    assert value(reader, "balance_mean/entity/1?version=9")[0] == 404


def test_an_unknown_feature_names_the_nearest(group: FeatureGroup, reader: Client) -> None:
    make_feature(group, "balance_mean")
    status, body = value(reader, "balance_men/entity/1")
    assert (status, body["error"]["code"]) == (404, "unknown_feature")
    assert body["error"]["details"]["nearest"] == ["balance_mean"]
    assert value(reader, "bad%00name/entity/1")[0] == 400


def test_archived_values_are_not_served(group: FeatureGroup) -> None:
    version = make_feature(group, "balance_mean")
    put_online(group, "1", {"balance_mean_v1": 1.0})
    version.status = Status.ARCHIVED
    version.save()
    steward = client_of(make_user("steward", Role.STEWARD))
    status, body = value(steward, "balance_mean/entity/1")
    assert (status, body["error"]["code"]) == (404, "unknown_feature")


def test_personal_values_are_masked_by_default() -> None:
    group = make_group("people", sensitivity="personal")
    make_feature(group, "surname", "string")
    make_feature(group, "iban", "string", mask="partial")
    make_feature(group, "age", "integer", mask="bucket")
    make_feature(group, "mail", "string", mask="hash")
    make_feature(group, "city", "string", sensitivity="internal")
    put_online(
        group, "1", {"surname_v1": "Novák", "iban_v1": "CZ65080000", "age_v1": 47, "mail_v1": "a@b", "city_v1": "Brno"}
    )
    plain, granted = make_user("plain", Role.VIEWER), make_user("granted", Role.VIEWER)
    ValueGrant.objects.create(group=group, user=granted)
    steward = make_user("steward", Role.STEWARD)

    def seen(user: Any, name: str) -> tuple[Any, str]:
        body = value(client_of(user), f"{name}/entity/1")[1]
        return body["value"], body["status"]

    assert seen(plain, "surname") == (None, "MASKED")
    assert seen(plain, "iban") == ("***0000", "MASKED")
    assert seen(plain, "age") == (40, "MASKED")
    hashed, status = seen(plain, "mail")
    assert (len(hashed), status) == (16, "MASKED")
    assert seen(plain, "city") == ("Brno", "PRESENT")
    for user in (granted, steward):
        assert seen(user, "surname") == ("Novák", "PRESENT")
        assert seen(user, "age") == (47, "PRESENT")


def test_a_grant_to_a_role_counts_until_it_expires() -> None:
    group = make_group("people", sensitivity="confidential")
    make_feature(group, "income")
    put_online(group, "1", {"income_v1": 10.0})
    client = client_of(make_user("scientist", Role.DATA_SCIENTIST))
    role = Group.objects.get(name=Role.DATA_SCIENTIST.value)
    grant = ValueGrant.objects.create(group=group, role=role, expires_at=now() + timedelta(hours=1))
    assert value(client, "income/entity/1")[1]["value"] == 10.0
    grant.expires_at = now() - timedelta(seconds=1)
    grant.save()
    assert value(client, "income/entity/1")[1]["status"] == "MASKED"


def test_a_read_writes_nothing_and_asks_little(
    group: FeatureGroup, reader: Client, django_assert_max_num_queries: Any
) -> None:
    make_feature(group, "balance_mean")
    put_online(group, "1", {"balance_mean_v1": 1.0})
    reader.get("/api/v1/features/balance_mean/entity/1")
    with django_assert_max_num_queries(6) as queries:
        assert reader.get("/api/v1/features/balance_mean/entity/1").status_code == 200
    assert not [query for query in queries.captured_queries if not query["sql"].lstrip("(").startswith("SELECT")]


def test_a_text_timestamp_keeps_its_microseconds(group: FeatureGroup, reader: Client) -> None:
    make_feature(group, "last_seen", "timestamp")
    put_online(group, "1", {"last_seen_v1": "2024-12-31T23:59:59.999999Z"}, event=DAY + timedelta(microseconds=1))
    body = value(reader, "last_seen/entity/1")[1]
    assert body["value"] == "2024-12-31T23:59:59.999999Z"
    assert body["event_timestamp"] == "2025-03-01T00:00:00.000001Z"

"""POST features/batch."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureGroup
from featurestore_site.configuration import Configuration
from tests.stocked_store import (
    client_of,
    make_entity,
    make_feature,
    make_group,
    make_service,
    make_user,
    put_online,
)

pytestmark = pytest.mark.django_db


def batch(client: Client, body: object) -> tuple[int, Any]:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    response = client.post("/api/v1/features/batch", text, content_type="application/json")
    return response.status_code, json.loads(response.content)


def refused(client: Client, body: object) -> str:
    status, answer = batch(client, body)
    assert (status, answer["error"]["code"]) == (400, "invalid_input")
    return answer["error"]["message"]


def test_one_entity(group: FeatureGroup, reader: Client) -> None:
    status, answer = batch(reader, {"entity_id": 1, "features": ["balance_mean", "finance:visits@1.0"]})
    assert status == 200
    assert answer == {"entity_id": 1, "features": {"balance_mean": 1.5, "finance:visits@1.0": 2**53 + 1}}


def test_metadata_when_asked_for(group: FeatureGroup, reader: Client) -> None:
    _, answer = batch(reader, {"entity_id": "2", "features": ["balance_mean"], "include_metadata": True})
    assert answer["metadata"] == {
        "balance_mean": {
            "feature_id": "customer_balance_mean_v1",
            "version": "1.0",
            "status": "NULL_VALUE",
            "event_timestamp": "2025-03-01T00:00:00.000000Z",
            "created_timestamp": "2025-03-01T01:00:00.000000Z",
        }
    }


def test_several_entities_in_order_as_they_came(group: FeatureGroup, reader: Client) -> None:
    _, answer = batch(reader, {"entity_ids": [2, "1", 404, 2.0], "features": ["visits"]})
    assert answer == {
        "results": [
            {"entity_id": 2, "features": {"visits": 7}},
            {"entity_id": "1", "features": {"visits": 2**53 + 1}},
            {"entity_id": 404, "features": {"visits": None}},
            {"entity_id": 2.0, "features": {"visits": 7}},
        ]
    }


def test_join_keys_by_name(group: FeatureGroup, reader: Client) -> None:
    assert batch(reader, {"customer_id": 1, "features": ["balance_mean"]}) == (
        200,
        {"entity_id": 1, "features": {"balance_mean": 1.5}},
    )
    _, answer = batch(reader, {"entities": [{"customer_id": 1}, {"customer_id": 2}], "features": ["visits"]})
    assert [result["entity_id"] for result in answer["results"]] == [1, 2]


def test_several_entities_and_composite_keys_need_names(group: FeatureGroup, reader: Client) -> None:
    accounts = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(accounts, "limit")
    put_online(accounts, "A|7", {"limit_v1": 900.0})
    keys = {"customer_id": 1, "bank": "A", "number": 7}
    status, answer = batch(reader, {**keys, "features": ["balance_mean", "limit"]})
    assert (status, answer) == (200, {"entity_id": keys, "features": {"balance_mean": 1.5, "limit": 900.0}})
    _, several = batch(reader, {"entities": [keys], "features": ["limit", "visits"]})
    assert several["results"][0]["features"] == {"limit": 900.0, "visits": 2**53 + 1}
    assert "customer_id" in refused(reader, {"entity_id": 1, "features": ["balance_mean", "limit"]})
    assert "number" in refused(reader, {"bank": "A", "features": ["limit"]})


@pytest.mark.parametrize("default", [1e300, -1e19, 2**63 - 1, -(2**63), -0.5])
def test_a_default_is_answered_as_it_was_given(group: FeatureGroup, reader: Client, default: float) -> None:
    make_feature(group, "limit", "integer" if isinstance(default, int) else "float", default_value=default)
    status, answer = batch(reader, {"entity_id": 404, "features": ["limit"]})
    assert (status, answer["features"]) == (200, {"limit": default})
    assert type(answer["features"]["limit"]) is type(default)


def test_a_feature_service(group: FeatureGroup, reader: Client) -> None:
    visits = group.features.get(name="visits").default_version
    make_service("churn", visits)
    assert batch(reader, {"entity_id": 2, "service": "churn"})[1]["features"] == {"visits": 7}
    status, answer = batch(reader, {"entity_id": 2, "service": "chrn"})
    assert (status, answer["error"]["details"]["nearest"]) == (404, ["churn"])


@pytest.mark.parametrize(
    "entity",
    [True, None, 1.5, "", [], [1], {}, {"other": 1}, {"customer_id": [1]}, {"customer_id": None}, 1e300, "a\0b"],
)
def test_what_cannot_be_an_entity_is_refused(group: FeatureGroup, reader: Client, entity: object) -> None:
    refused(reader, {"entity_id": entity, "features": ["visits"]})
    assert "entity_ids[1]" in refused(reader, {"entity_ids": [1, entity], "features": ["visits"]})


@pytest.mark.parametrize(
    "body",
    [
        {"features": ["visits"]},
        {"entity_id": 1},
        {"entity_id": 1, "features": []},
        {"entity_id": 1, "features": "visits"},
        {"entity_id": 1, "features": [1]},
        {"entity_id": 1, "features": ["visits", "visits"]},
        {"entity_id": 1, "features": ["a b"]},
        {"entity_id": 1, "features": ["vis\0its"]},
        {"entity_id": 1, "features": ["visits"], "service": "churn"},
        {"entity_id": 1, "service": ""},
        {"entity_id": 1, "entity_ids": [1], "features": ["visits"]},
        {"entity_id": 1, "customer_id": 1, "features": ["visits"]},
        {"entity_ids": [], "features": ["visits"]},
        {"entity_ids": "12", "features": ["visits"]},
        {"entities": [1], "features": ["visits"]},
        {"entity_id": 1, "features": ["visits"], "include_metadata": "yes"},
        {"entity_id": 1, "features": ["visits"], "feature": "visits"},
        "[]",
        "{",
        "",
        '{"entity_id": 1, "features": ["\\ud800"]}',
        '{"entity_id": NaN, "features": ["visits"]}',
        '{"entity_id": 36893488147419103232, "features": ["visits"]}',
        '{"a":' * 2000 + "1" + "}" * 2000,
        b"\xff\xfe",
    ],
)
def test_a_body_that_makes_no_sense_is_refused(group: FeatureGroup, reader: Client, body: object) -> None:
    refused(reader, body)


def test_an_unknown_feature(group: FeatureGroup, reader: Client) -> None:
    status, answer = batch(reader, {"entity_id": 1, "features": ["visit"]})
    assert (status, answer["error"]["code"]) == (404, "unknown_feature")
    assert answer["error"]["details"]["nearest"] == ["visits"]


def test_too_much_is_refused_with_the_way_out(group: FeatureGroup, reader: Client) -> None:
    for body in (
        {"entity_ids": list(range(10_001)), "features": ["visits"]},
        {"entity_id": 1, "features": [f"f{number}" for number in range(1_001)]},
    ):
        status, answer = batch(reader, body)
        assert (status, answer["error"]["code"]) == (413, "too_large")
        assert "split it" in answer["error"]["message"]


def test_a_body_that_is_too_long(group: FeatureGroup, reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.api.body_parsers.MAX_JSON_BYTES", 20)
    assert batch(reader, {"entity_id": 1, "features": ["visits"]})[0] == 413


def test_another_content_type_or_method(group: FeatureGroup, reader: Client) -> None:
    response = reader.post("/api/v1/features/batch", {"entity_id": 1})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")
    response = reader.get("/api/v1/features/batch")
    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")


def test_who_may_not_read_reads_nothing(group: FeatureGroup) -> None:
    body = {"entity_id": 1, "features": ["visits"]}
    assert batch(client_of(make_user("without role")), body)[0] == 403
    assert batch(client_of(None), body)[0] == 401


def test_masked_values_say_so() -> None:
    group = make_group("people", sensitivity="personal", max_age=timedelta(days=1))
    make_feature(group, "age", "integer", mask="bucket", default_value=39)
    put_online(group, "1", {"age_v1": 47}, event=now())
    put_online(group, "2", {"age_v1": 47}, event=now() - timedelta(days=2))
    body = {"entity_ids": ["1", "2", "3"], "features": ["age"], "include_metadata": True}

    def seen(client: Client) -> list[tuple[int, str]]:
        results = batch(client, body)[1]["results"]
        return [(result["features"]["age"], result["metadata"]["age"]["status"]) for result in results]

    plain, steward = client_of(make_user("plain", Role.VIEWER)), client_of(make_user("steward", Role.STEWARD))
    assert seen(plain) == [(40, "MASKED"), (30, "OUTSIDE_MAX_AGE"), (30, "NOT_FOUND")]
    assert seen(steward) == [(47, "PRESENT"), (39, "OUTSIDE_MAX_AGE"), (39, "NOT_FOUND")]


def test_queries_do_not_grow_with_entities_or_features(
    group: FeatureGroup, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = make_group("people", sensitivity="personal")
    for number in range(20):
        make_feature(people, f"f{number}")
    names = [f"f{number}" for number in range(20)]

    def queries(entities: int, features: list[str]) -> list[str]:
        body = {"entity_ids": list(range(entities)), "features": ["visits", *features]}
        with CaptureQueriesContext(connection) as captured:
            assert batch(reader, body)[0] == 200
        return [query["sql"] for query in captured]

    queries(1, names[:1])  # notes the use of the token
    few, many = queries(1, names[:2]), queries(150, names)
    assert len(few) == len(many)
    monkeypatch.setattr("serving.callers.TRUSTED_SECONDS", 60)
    monkeypatch.setattr("catalog.generation.LOOK_SECONDS", 60)
    queries(1, names)  # who calls, what may be seen, what is asked for: known from now on
    [values] = queries(150, names)
    assert "serving_featurevalue" in values


def test_turned_off(group: FeatureGroup, reader: Client, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    base: Configuration = settings.FEATURESTORE
    for switch in ("online_store_enabled", "api_enabled"):
        serving = base.serving.model_copy(update={switch: False})
        monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(base, serving=serving))
        status, answer = batch(reader, {"entity_id": 1, "features": ["visits"]})
        assert (status, answer["error"]["code"]) == (503, "unavailable")
        assert f"serving.{switch}" in answer["error"]["message"]

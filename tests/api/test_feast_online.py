"""POST /get-online-features, as the clients of Feast ask.

The shapes are those that Feast's own feature server (0.67) answered to the same requests.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureGroup
from featurestore_site import token_buckets
from featurestore_site.configuration import Configuration
from serving import access_log
from serving.tokens import issue_token
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

PATH = "/get-online-features"
EVENT, NEVER = "2025-03-01T00:00:00.000000Z", "1970-01-01T00:00:00Z"


def ask(client: Client, body: object) -> tuple[int, Any]:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    response = client.post(PATH, text, content_type="application/json")
    return response.status_code, json.loads(response.content)


def column(values: list[Any], statuses: list[str], stamps: list[str]) -> dict[str, list[Any]]:
    return {"values": values, "statuses": statuses, "event_timestamps": stamps}


def error_of(answer: Any) -> dict[str, Any]:
    """The error as Feast's client reads it: a text that holds JSON."""
    assert isinstance(answer, str)
    error: dict[str, Any] = json.loads(answer)
    assert {"module", "class", "message", "code", "details"} == set(error)
    assert error["module"] == "feast.errors"
    return error


def refused(client: Client, body: object) -> tuple[int, str, str]:
    status, answer = ask(client, body)
    error = error_of(answer)
    return status, error["class"], error["message"]


def test_columns_of_join_keys_and_features(group: FeatureGroup, reader: Client) -> None:
    asked = {"features": ["finance:balance_mean", "finance:visits"], "entities": {"customer_id": [1, 2, 404]}}

    status, answer = ask(reader, asked)

    assert status == 200
    assert answer == {
        "results": [
            column([1, 2, 404], ["PRESENT"] * 3, [NEVER] * 3),
            column([1.5, None, None], ["PRESENT", "NULL_VALUE", "NOT_FOUND"], [EVENT, EVENT, NEVER]),
            column([2**53 + 1, 7, None], ["PRESENT", "PRESENT", "NOT_FOUND"], [EVENT, EVENT, NEVER]),
        ],
        "metadata": {"feature_names": ["customer_id", "balance_mean", "visits"]},
    }


def test_full_names_and_the_groups(group: FeatureGroup, reader: Client) -> None:
    _, answer = ask(
        reader,
        {
            "features": ["finance:visits", "balance_mean"],
            "entities": {"customer_id": ["1"]},
            "full_feature_names": True,
            "include_feature_view_version_metadata": True,
        },
    )

    assert answer["metadata"] == {
        "feature_names": ["customer_id", "finance__visits", "finance__balance_mean"],
        "feature_view_metadata": [{"name": "finance"}],
    }
    assert [result["values"] for result in answer["results"]] == [["1"], [2**53 + 1], [1.5]]


def test_a_reference_with_a_version_keeps_it(group: FeatureGroup, reader: Client) -> None:
    _, answer = ask(reader, {"features": ["finance:visits@1", "visits"], "entities": {"customer_id": [2]}})
    assert answer["metadata"]["feature_names"] == ["customer_id", "visits@1", "visits"]


def test_a_feature_service(group: FeatureGroup, reader: Client) -> None:
    visits, balance = (group.features.get(name=name).default_version for name in ("visits", "balance_mean"))
    make_service("churn", visits, balance)
    entities = {"customer_id": [2]}

    _, plain = ask(reader, {"feature_service": "churn", "entities": entities, "features": ["nothing:here"]})
    _, full = ask(reader, {"feature_service": "churn", "entities": entities, "full_feature_names": True})

    assert plain["metadata"]["feature_names"] == ["customer_id", "visits", "balance_mean"]
    assert full["metadata"]["feature_names"] == ["customer_id", "finance__visits", "finance__balance_mean"]
    assert [result["values"] for result in plain["results"]] == [[2], [7], [None]]


def test_entities_by_the_name_of_the_entity_and_columns_of_others(group: FeatureGroup, reader: Client) -> None:
    _, answer = ask(reader, {"features": ["finance:visits"], "entities": {"customer": [2], "channel": ["web"]}})
    assert answer["metadata"]["feature_names"] == ["customer_id", "visits"]
    assert [result["values"] for result in answer["results"]] == [[2], [7]]


def test_composite_keys_and_several_entities(group: FeatureGroup, reader: Client) -> None:
    accounts = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(accounts, "limit")
    put_online(accounts, "A|7", {"limit_v1": 900.0})
    keys = {"bank": ["A", "B"], "number": [7, 7], "customer_id": [2, 1]}

    _, answer = ask(reader, {"features": ["finance:visits", "accounts:limit"], "entities": keys})

    assert answer["metadata"]["feature_names"] == ["customer_id", "bank", "number", "visits", "limit"]
    assert [result["values"] for result in answer["results"]] == [
        [2, 1],
        ["A", "B"],
        [7, 7],
        [7, 2**53 + 1],
        [900.0, None],
    ]
    status, name, message = refused(reader, {"features": ["accounts:limit"], "entities": {"bank": ["A"]}})
    assert (status, name) == (400, "FeastError")
    assert 'write {"bank": […], "number": […]}' in message


def test_values_of_every_type(reader: Client) -> None:
    group = make_group()
    types = ("float", "integer", "string", "boolean", "timestamp", "float_list")
    for data_type in types:
        make_feature(group, f"a_{data_type}", data_type)
    values = (2.0, -(2**63), "ü", False, "2025-03-01T12:00:00.999999Z", [0.5, 1.0])
    put_online(group, "1", {f"a_{name}_v1": value for name, value in zip(types, values, strict=True)})

    _, answer = ask(reader, {"features": [f"finance:a_{name}" for name in types], "entities": {"customer_id": [1]}})

    found = [result["values"][0] for result in answer["results"][1:]]
    assert found == [2.0, -(2**63), "ü", False, 1_740_830_400, [0.5, 1.0]]
    assert [type(value) for value in found] == [float, int, str, bool, int, list]


def test_masks_max_age_and_defaults_hold() -> None:
    group = make_group("people", sensitivity="personal", max_age=timedelta(days=1))
    make_feature(group, "age", "integer", mask="bucket", default_value=39)
    make_feature(group, "born", "timestamp", mask="hash")
    make_feature(group, "surname", "string")
    young = {"age_v1": 47, "born_v1": "1978-05-01T00:00:00.000000Z", "surname_v1": "Novák"}
    put_online(group, "1", young, event=now())
    put_online(group, "2", young, event=now() - timedelta(days=2))
    body = {"features": ["people:age", "people:born", "people:surname"], "entities": {"customer_id": [1, 2, 3]}}

    def seen(role: Role) -> tuple[list[Any], list[Any], Any]:
        _, answer = ask(client_of(make_user(role.value, role)), body)
        _, *columns = answer["results"]
        return (
            [result["values"] for result in columns],
            [result["statuses"] for result in columns],
            answer["metadata"].get("masked"),
        )

    values, statuses, masked = seen(Role.VIEWER)
    assert values[0] == [40, 30, 30]
    assert isinstance(values[1][0], str)
    assert values[2] == [None, None, None]
    assert statuses[0] == ["PRESENT", "OUTSIDE_MAX_AGE", "NOT_FOUND"]
    assert statuses[2] == ["NULL_VALUE", "OUTSIDE_MAX_AGE", "NOT_FOUND"]
    assert masked == ["age", "born", "surname"]
    values, statuses, masked = seen(Role.STEWARD)
    assert [column[0] for column in values] == [47, 262_828_800, "Novák"]
    assert statuses == [["PRESENT", "OUTSIDE_MAX_AGE", "NOT_FOUND"]] * 3
    assert masked is None


def test_what_is_not_there_is_told_with_the_nearest_names(group: FeatureGroup, reader: Client) -> None:
    make_service("churn", group.features.get(name="visits").default_version)
    entities = {"customer_id": [1]}

    status, name, message = refused(reader, {"features": ["finance:visit"], "entities": entities})
    assert (status, name) == (404, "SpecifiedFeaturesNotPresentError")
    assert "did you mean visits?" in message
    status, name, message = refused(reader, {"features": ["finances:visits"], "entities": entities})
    assert (status, name) == (404, "FeatureViewNotFoundException")
    assert "did you mean finance:visits?" in message
    status, name, message = refused(reader, {"feature_service": "chrn", "entities": entities})
    assert (status, name) == (404, "FeatureServiceNotFoundException")
    assert "did you mean churn?" in message


def test_names_that_would_be_those_of_several_columns(group: FeatureGroup, reader: Client) -> None:
    other = make_group("loans", entity=make_entity("loan", ("loan_id",)))
    make_feature(other, "visits", "integer")
    put_online(other, "9", {"visits_v1": 3})
    body = {"features": ["finance:visits", "loans:visits"], "entities": {"customer_id": [2], "loan_id": [9]}}

    status, name, message = refused(reader, body)

    assert (status, name) == (400, "FeatureNameCollisionError")
    assert message.startswith("visits would name several columns; ask with full_feature_names")
    _, answer = ask(reader, {**body, "full_feature_names": True})
    assert answer["metadata"]["feature_names"] == ["customer_id", "loan_id", "finance__visits", "loans__visits"]
    assert [result["values"] for result in answer["results"]] == [[2], [9], [7], [3]]


@pytest.mark.parametrize(
    "body",
    [
        {"features": ["finance:visits"]},
        {"entities": {"customer_id": [1]}},
        {"features": [], "entities": {"customer_id": [1]}},
        {"features": "finance:visits", "entities": {"customer_id": [1]}},
        {"features": [1], "entities": {"customer_id": [1]}},
        {"features": ["finance:visits", "finance:visits"], "entities": {"customer_id": [1]}},
        {"features": ["finance@v1:visits"], "entities": {"customer_id": [1]}},
        {"features": ["finance:visits"], "entities": []},
        {"features": ["finance:visits"], "entities": {}},
        {"features": ["finance:visits"], "entities": {"customer_id": []}},
        {"features": ["finance:visits"], "entities": {"customer_id": 1}},
        {"features": ["finance:visits"], "entities": {"customer_id": [None]}},
        {"features": ["finance:visits"], "entities": {"customer_id": [True]}},
        {"features": ["finance:visits"], "entities": {"customer_id": [1.5]}},
        {"features": ["finance:visits"], "entities": {"customer_id": [[1]]}},
        {"features": ["finance:visits"], "entities": {"customer_id": [{"a": 1}]}},
        {"features": ["finance:visits"], "entities": {"customer_id": ["a\0b"]}},
        {"features": ["finance:visits"], "entities": {"customer_id": [1]}, "full_feature_names": "yes"},
        {"feature_service": 7, "entities": {"customer_id": [1]}},
        "[]",
        "{",
        "",
        '{"features": ["\\ud800"], "entities": {"customer_id": [1]}}',
        '{"features": ["finance:visits"], "entities": {"customer_id": [NaN]}}',
        b"\xff\xfe",
    ],
)
def test_a_body_that_makes_no_sense_is_refused(group: FeatureGroup, reader: Client, body: object) -> None:
    assert refused(reader, body)[:2] == (400, "FeastError")


def test_columns_of_unequal_length(group: FeatureGroup, reader: Client) -> None:
    accounts = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(accounts, "limit")
    body = {"features": ["accounts:limit"], "entities": {"bank": ["A"], "number": [7, 8]}}
    assert "bank has 1, number has 2" in refused(reader, body)[2]


def test_too_much_is_refused(group: FeatureGroup, reader: Client) -> None:
    body = {"features": ["finance:visits"], "entities": {"customer_id": list(range(10_001))}}
    status, name, message = refused(reader, body)
    assert (status, name) == (413, "FeastError")
    assert "split it" in message


def test_who_may_read(group: FeatureGroup) -> None:
    body = {"features": ["finance:visits"], "entities": {"customer_id": [2]}}
    reader, stranger = make_user("reader", Role.VIEWER), make_user("without role")
    key = issue_token(user=reader, name="test", scopes=["read"]).key

    for authorization in (f"Bearer {key}", f"bearer {key}", f"Token {key}"):
        assert ask(Client(headers={"authorization": authorization}), body)[0] == 200
    assert ask(Client(headers={"x-api-key": key}), body)[0] == 200
    assert refused(client_of(stranger), body)[:2] == (403, "FeastPermissionError")
    assert refused(client_of(reader, scopes=("write",)), body)[:2] == (403, "FeastPermissionError")
    for client in (Client(), Client(headers={"authorization": "Bearer nonsense"})):
        response = client.post(PATH, body, content_type="application/json")
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
        assert error_of(json.loads(response.content))["class"] == "FeastPermissionError"
    signed_in = Client()
    signed_in.force_login(reader)
    assert refused(signed_in, body)[0] == 401


def test_every_read_leaves_an_access_record(group: FeatureGroup, reader: Client) -> None:
    ask(reader, {"features": ["finance:visits", "finance:balance_mean"], "entities": {"customer_id": [1, 2]}})
    ask(reader, {"features": ["finance:nothing"], "entities": {"customer_id": [1]}})

    [file] = access_log.access_folder().iterdir()
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(record["status"], record["entities"], record["features"]) for record in records] == [
        (200, 2, ["customer_visits_v1", "customer_balance_mean_v1"]),
        (404, 0, []),
    ]
    assert {(record["caller"], record["kind"]) for record in records} == {("reader", "online")}


def test_too_many_requests(
    group: FeatureGroup, reader: Client, configuration: Configuration, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    limit = configuration.security.rate_limiting.model_copy(update={"enabled": True, "requests_per_minute": 2})
    security = configuration.security.model_copy(update={"rate_limiting": limit})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(configuration, security=security))
    body = {"features": ["finance:visits"], "entities": {"customer_id": [2]}}
    monkeypatch.setattr(token_buckets, "_of_this_process", token_buckets.ProcessBuckets())
    responses = [reader.post(PATH, body, content_type="application/json") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 429, 429]
    assert int(responses[-1]["Retry-After"]) >= 1
    assert error_of(json.loads(responses[-1].content))["code"] == "throttled"


def test_turned_off(group: FeatureGroup, reader: Client, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    base: Configuration = settings.FEATURESTORE
    for switch in ("online_store_enabled", "api_enabled"):
        serving = base.serving.model_copy(update={switch: False})
        monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(base, serving=serving))
        status, name, message = refused(reader, {"features": ["finance:visits"], "entities": {"customer_id": [2]}})
        assert (status, name) == (503, "FeastError")
        assert f"serving.{switch}" in message


def test_other_methods_and_media_types(reader: Client) -> None:
    response = reader.get(PATH)
    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")
    assert error_of(response.json())["code"] == "method_not_allowed"
    response = reader.post(PATH, "features=a", content_type="application/x-www-form-urlencoded")
    assert (response.status_code, error_of(response.json())["code"]) == (415, "unsupported_media_type")
    response = reader.post(PATH, "{}", content_type="application/json", headers={"accept": "application/xml"})
    assert (response.status_code, error_of(response.json())["code"]) == (406, "not_acceptable")
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/push", "/write-to-online-store", "/materialize", "/retrieve-online-documents"])
def test_what_else_clients_of_feast_call_is_answered_in_their_shape(path: str) -> None:
    response = Client(enforce_csrf_checks=True).post(path, "{}", content_type="application/json")
    assert response.status_code == 404
    assert "values come in by ingestion" in error_of(response.json())["message"]


def test_queries_do_not_grow_with_entities_or_features(
    group: FeatureGroup, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        make_feature(group, f"f{number}")

    def queries(entities: int, features: int, first: int = 0) -> list[str]:
        body = {
            "features": [f"finance:f{number}" for number in range(features)],
            "entities": {"customer_id": list(range(first, first + entities))},
        }
        with CaptureQueriesContext(connection) as captured:
            assert ask(reader, body)[0] == 200
        return [query["sql"] for query in captured]

    queries(1, 1)  # notes the use of the token
    assert len(queries(1, 2)) == len(queries(150, 20))
    monkeypatch.setattr("serving.callers.TRUSTED_SECONDS", 60)
    monkeypatch.setattr("catalog.generation.LOOK_SECONDS", 60)
    queries(1, 20)  # who calls, what may be seen, what is asked for: known from now on
    for _ in range(2):
        [values] = queries(150, 20, first=1_000)
        assert "serving_featurevalue" in values
    [revisions] = queries(150, 20, first=1_000)
    assert "serving_featurevalue" not in revisions


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
references = st.sampled_from(["finance:visits", "visits", "finance:visits@1", "finance:nothing", ":", "@", "a:b:c"])
key_columns = st.dictionaries(
    st.sampled_from(["customer_id", "customer", "other"]), json_values | st.lists(json_values, max_size=3), max_size=2
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "features": json_values | st.lists(references | st.text(max_size=8), max_size=3),
        "feature_service": json_values,
        "entities": json_values | key_columns,
        "full_feature_names": json_values,
        "include_feature_view_version_metadata": json_values,
    },
)


@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(body=bodies | json_values | st.binary(max_size=64))
def test_no_body_is_a_fault_of_the_store(group: FeatureGroup, reader: Client, body: Any) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body)

    status, answer = ask(reader, text)

    assert status in (200, 400, 404)
    if status == 200:
        lengths = {len(result[part]) for result in answer["results"] for part in result}
        assert len(lengths) == 1
        assert len(answer["results"]) == len(answer["metadata"]["feature_names"])
    else:
        assert error_of(answer)["message"]

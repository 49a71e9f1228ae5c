"""POST features/batch in the form of columns, and as an Arrow table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureGroup
from tests.stocked_store import DAY, client_of, make_entity, make_feature, make_group, make_user, put_online

pytestmark = pytest.mark.django_db

ARROW = "application/vnd.apache.arrow.stream"
BIG = 2**53 + 1
TYPED: dict[str, tuple[str, Any]] = {
    "amount": ("float", 1.5),
    "visits": ("integer", BIG),
    "city": ("string", "Šárka 🦊"),
    "active": ("boolean", False),
    "seen": ("timestamp", "2025-03-01T12:00:00.123456Z"),
    "vector": ("float_list", [0.5, None, -2.0]),
}


@pytest.fixture
def group() -> FeatureGroup:
    group = make_group()
    for name, (data_type, _) in TYPED.items():
        make_feature(group, name, data_type)
    put_online(group, "1", {f"{name}_v1": value for name, (_, value) in TYPED.items()})
    put_online(group, "2", {f"{name}_v1": None for name in TYPED})
    return group


@pytest.fixture
def reader() -> Client:
    return client_of(make_user("reader", Role.VIEWER))


def asked(client: Client, body: object, accept: str = "application/json") -> Any:
    path = "/api/v1/features/batch"
    return client.post(path, json.dumps(body), content_type="application/json", headers={"accept": accept})


def columns(client: Client, body: dict[str, Any]) -> Any:
    response = asked(client, {**body, "form": "columns"})
    assert response.status_code == 200
    return json.loads(response.content)


def table(client: Client, body: object) -> pa.Table:
    response = asked(client, body, ARROW)
    assert (response.status_code, response["Content-Type"]) == (200, ARROW)
    return pa.ipc.open_stream(response.content).read_all()


def test_a_column_per_feature(group: FeatureGroup, reader: Client) -> None:
    answer = columns(reader, {"entity_ids": [1, "2", 404], "features": list(TYPED)})
    assert answer == {
        "entity_ids": [1, "2", 404],
        "features": {name: [value, None, None] for name, (_, value) in TYPED.items()},
    }


def test_columns_of_one_entity(group: FeatureGroup, reader: Client) -> None:
    assert columns(reader, {"customer_id": 1, "features": ["visits"]}) == {
        "entity_ids": [1],
        "features": {"visits": [BIG]},
    }


def test_columns_with_metadata(group: FeatureGroup, reader: Client) -> None:
    answer = columns(reader, {"entity_ids": [1, 2, 3], "features": ["visits"], "include_metadata": True})
    event, created = "2025-03-01T00:00:00.000000Z", "2025-03-01T01:00:00.000000Z"
    assert answer["metadata"] == {
        "visits": {
            "feature_id": "customer_visits_v1",
            "version": "1.0",
            "statuses": ["PRESENT", "NULL_VALUE", "NOT_FOUND"],
            "event_timestamps": [event, event, None],
            "created_timestamps": [created, created, None],
        }
    }


@pytest.mark.parametrize("form", ["column", "", None, 1, ["columns"]])
def test_another_form_is_refused(group: FeatureGroup, reader: Client, form: object) -> None:
    response = asked(reader, {"entity_id": 1, "features": ["visits"], "form": form})
    assert (response.status_code, response.json()["error"]["details"]) == (400, {"field": "form"})


def test_rows_are_the_form_when_none_is_named(group: FeatureGroup, reader: Client) -> None:
    body = {"entity_ids": [1, 2], "features": ["visits"]}
    assert asked(reader, body).json() == asked(reader, {**body, "form": "rows"}).json()


def test_a_table_has_the_types_of_the_features(group: FeatureGroup, reader: Client) -> None:
    got = table(reader, {"entity_ids": [1, 2, 404], "features": list(TYPED)})
    assert got.schema.names == ["entity_id", *TYPED]
    assert [str(got.schema.field(name).type) for name in TYPED] == [
        "double", "int64", "string", "bool", "timestamp[us, tz=UTC]", "list<item: double>"
    ]  # fmt: skip
    first, *others = got.to_pylist()
    assert first == {
        "entity_id": 1,
        **{name: value for name, (_, value) in TYPED.items()},
        "seen": datetime(2025, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    }
    assert all(row[name] is None for row in others for name in TYPED)


def test_a_table_with_metadata(group: FeatureGroup, reader: Client) -> None:
    got = table(reader, {"entity_ids": ["1", "3"], "features": ["visits"], "include_metadata": True})
    assert got.to_pydict() == {
        "entity_id": ["1", "3"],
        "visits": [BIG, None],
        "visits__status": ["PRESENT", "NOT_FOUND"],
        "visits__event_timestamp": [DAY, None],
    }


def test_keys_of_a_table(group: FeatureGroup, reader: Client) -> None:
    assert table(reader, {"entity_ids": [1, "2"], "features": ["visits"]})["entity_id"].to_pylist() == ["1", "2"]
    accounts = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(accounts, "limit")
    put_online(accounts, "A|7", {"limit_v1": 900.0})
    got = table(reader, {"entities": [{"bank": "A", "number": 7}], "features": ["limit"]})
    assert got.to_pydict() == {"bank": ["A"], "number": [7], "limit": [900.0]}


def test_masked_columns_have_the_type_of_the_mask(reader: Client) -> None:
    people = make_group("people", sensitivity="personal")
    make_feature(people, "age", "integer", mask="hash")
    make_feature(people, "born", "timestamp", mask="bucket")
    put_online(people, "1", {"age_v1": 47, "born_v1": "1980-05-17T00:00:00.000000Z"})
    body = {"entity_ids": [1], "features": ["age", "born"], "include_metadata": True}
    [row] = table(reader, body).to_pylist()
    assert (row["age__status"], len(row["age"])) == ("MASKED", 16)
    assert row["born"] == datetime(1980, 1, 1, tzinfo=UTC)
    assert columns(reader, body)["features"]["age"] == [row["age"]]


def test_an_error_is_json_whatever_was_accepted(group: FeatureGroup, reader: Client) -> None:
    response = asked(reader, {"entity_id": 1, "features": ["visit"]}, ARROW)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_feature")


def test_ten_thousand_entities(group: FeatureGroup, reader: Client) -> None:
    answer = columns(reader, {"entity_ids": list(range(10_000)), "features": ["visits"]})
    assert (len(answer["entity_ids"]), answer["features"]["visits"][1]) == (10_000, BIG)


def test_keys_that_no_arrow_integer_holds_are_texts(group: FeatureGroup, reader: Client) -> None:
    got = table(reader, {"entity_ids": [1, 2**63], "features": ["visits"]})
    assert got.to_pydict() == {"entity_id": ["1", str(2**63)], "visits": [BIG, None]}

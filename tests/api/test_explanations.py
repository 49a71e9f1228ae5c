"""GET features/{reference}/entity/{entity_id}/explain."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from django.test import Client

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureGroup, ValueGrant
from serving.access_log import access_folder
from serving.stores.offline import append_history
from tests.api.asking import ask, error_of
from tests.datasets_made import add, day, stocked_group
from tests.stocked_store import client_of, make_entity, make_feature, make_group, make_user, put_history

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> FeatureGroup:
    return stocked_group()


@pytest.fixture
def reader() -> Client:
    return client_of(make_user("reader", Role.VIEWER))


def explained(client: Client, path: str = "balance/entity/1", **parameters: Any) -> dict[str, Any]:
    status, body = ask(client, f"features/{path}/explain", **parameters)
    assert status == 200, body
    return body


def test_the_row_that_answers_and_those_it_beat(group: FeatureGroup, reader: Client) -> None:
    add(group, "1", 3, balance=30.0)
    add(group, "1", 3, created=day(4), balance=33.0)
    add(group, "1", 3, created=day(4), balance=33.0)

    body = explained(reader, at="2025-01-04T12:00:00Z")

    winner, beaten = body.pop("winner"), body.pop("beaten")
    assert body == {
        "entity_id": "1",
        "feature": "balance",
        "feature_id": "customer_balance_v1",
        "version": "1.0",
        "at": "2025-01-04T12:00:00.000000Z",
        "as_known_at": None,
        "max_age_seconds": None,
        "value": 33.0,
        "status": "PRESENT",
        "masked": False,
        "table_version": 6,
        "beaten_count": 4,
    }
    assert winner.pop("arrival") > 0
    assert winner == {
        "value": 33.0,
        "event_timestamp": "2025-01-03T00:00:00.000000Z",
        "created_timestamp": "2025-01-04T00:00:00.000000Z",
        "run_id": "run",
        "run_url": None,
    }
    assert [(one["value"], one["event_timestamp"][:10], one["rule"]) for one in beaten] == [
        (33.0, "2025-01-03", "duplicate"),
        (30.0, "2025-01-03", "older_created"),
        (10.0, "2025-01-01", "older_event"),
        (50.0, "2025-01-05", "future"),
    ]


def test_as_it_was_known(group: FeatureGroup, reader: Client) -> None:
    body = explained(reader, as_known_at="2025-01-04")
    assert (body["value"], body["as_known_at"]) == (10.0, "2025-01-04T23:59:59.999999Z")
    assert [(one["value"], one["rule"]) for one in body["beaten"]] == [(50.0, "not_known_yet")]


def test_max_age(group: FeatureGroup, reader: Client) -> None:
    FeatureGroup.objects.filter(pk=group.pk).update(max_age=timedelta(days=2))
    body = explained(reader, at="2025-01-20")
    assert (body["value"], body["status"], body["winner"], body["max_age_seconds"]) == (
        None,
        "OUTSIDE_MAX_AGE",
        None,
        172800.0,
    )
    assert [one["rule"] for one in body["beaten"]] == ["too_old", "too_old"]


def test_a_null_answers(group: FeatureGroup, reader: Client) -> None:
    body = explained(reader, "visits/entity/2")
    assert (body["value"], body["status"], body["winner"]["value"]) == (None, "NULL_VALUE", None)


def test_nobody_answers(group: FeatureGroup, reader: Client) -> None:
    make_feature(make_group("later"), "score", default_value=7.0)
    body = explained(reader, "balance/entity/404")
    assert (body["value"], body["status"], body["winner"], body["beaten"], body["table_version"]) == (
        None,
        "NOT_FOUND",
        None,
        [],
        3,
    )
    body = explained(reader, "score/entity/1")
    assert (body["value"], body["status"], body["winner"], body["table_version"]) == (7.0, "NOT_FOUND", None, None)


def test_the_run_that_wrote_it(group: FeatureGroup, reader: Client) -> None:
    run_id = str(uuid4())
    instant = pa.array([day(6)], pa.timestamp("us", "UTC"))
    rows = pa.table(
        {
            "entity_key": ["1"],
            "event_timestamp": instant,
            "created_timestamp": instant,
            "run_id": [run_id],
            "arrival": pa.array([None], pa.int64()),
            "balance_v1": [60.0],
        }
    )
    append_history(group=group, rows=rows, run_id=run_id, epoch=10_000)
    winner = explained(reader)["winner"]
    assert (winner["run_id"], winner["run_url"], winner["arrival"]) == (
        run_id,
        f"http://testserver/api/v1/runs/{run_id}",
        None,
    )


def test_by_join_keys_and_by_version(group: FeatureGroup, reader: Client) -> None:
    accounts = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(accounts, "limit")
    put_history(accounts, [{"key": "A|7", "event": day(1), "limit_v1": 900.0}])
    status, body = ask(reader, "features/limit/explain", bank="A", number="7", at="2025-01-02")
    assert (status, body["value"], body["entity_id"]) == (200, 900.0, {"bank": "A", "number": "7"})
    assert error_of(ask(reader, "features/limit/entity/A/explain")) == (400, "invalid_input")
    assert explained(reader, "finance:balance@1.0/entity/1")["value"] == 50.0
    assert explained(reader, version="1")["value"] == 50.0
    assert error_of(ask(reader, "features/balance@1/entity/1/explain", version="1")) == (400, "invalid_input")


@pytest.mark.parametrize(
    "query", ["at=noon", "at=2025-01-01T00:00:00", "as_known_at=event_time", "when=now", "at=2025-01-01&at=2025-01-02"]
)
def test_what_makes_no_sense(query: str, group: FeatureGroup, reader: Client) -> None:
    response = reader.get(f"/api/v1/features/balance/entity/1/explain?{query}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_input")


def test_an_unknown_feature(group: FeatureGroup, reader: Client) -> None:
    assert error_of(ask(reader, "features/balanse/entity/1/explain")) == (404, "unknown_feature")


def test_values_are_masked_as_everywhere() -> None:
    people = make_group("people", sensitivity="personal")
    make_feature(people, "surname", "string", mask="partial")
    rows = [{"key": "1", "event": day(1), "surname_v1": "Nováková"}] * 2
    put_history(people, rows)
    plain, granted = make_user("plain", Role.VIEWER), make_user("granted", Role.VIEWER)
    ValueGrant.objects.create(group=people, user=granted)

    body = explained(client_of(plain), "surname/entity/1")
    assert (body["value"], body["status"], body["masked"], body["winner"]["value"]) == (
        "***vá",
        "MASKED",
        True,
        "***vá",
    )
    assert [(one["value"], one["rule"]) for one in body["beaten"]] == [("***vá", "earlier_arrival")]
    body = explained(client_of(granted), "surname/entity/1")
    assert (body["value"], body["masked"], body["beaten"][0]["rule"]) == ("Nováková", False, "duplicate")


def test_who_may_not_read_is_told_nothing(group: FeatureGroup) -> None:
    path = "features/balance/entity/1/explain"
    assert error_of(ask(client_of(make_user("stig")), path)) == (403, "permission_denied")
    assert error_of(ask(Client(), path)) == (401, "not_authenticated")


def test_it_leaves_a_record(group: FeatureGroup, reader: Client) -> None:
    explained(reader)
    [line] = [json.loads(line) for path in access_folder().glob("*") for line in path.read_text().splitlines()]
    assert (line["caller"], line["kind"], line["entities"], line["features"]) == (
        "reader",
        "historical",
        1,
        ["customer_balance_v1"],
    )


def test_it_says_what_a_join_answers(group: FeatureGroup, reader: Client) -> None:
    add(group, "1", 2, created=day(8), balance=None)
    for number in range(1, 10):
        at = day(number).isoformat()
        body = {"entity_df": [{"customer_id": 1, "event_timestamp": at}], "features": ["balance"]}
        response = reader.post("/api/v1/features/historical", body, content_type="application/json")
        [row] = json.loads(b"".join(response.streaming_content))["data"]  # type: ignore[arg-type]
        assert explained(reader, at=at)["value"] == row["balance"]
    assert now() > day(9)

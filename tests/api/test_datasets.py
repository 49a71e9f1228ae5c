"""``datasets``: asked for, listed, told with everything pinned, downloaded, split, verified, archived."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog.access import Role
from catalog.models import AuditEvent, FeatureGroup, ValueGrant
from serving.access_log import access_folder
from serving.datasets.building import build_dataset
from serving.datasets.files import folder_of
from serving.models import TrainingDataset
from tests.api.asking import ask, error_of, send
from tests.datasets_made import asked, day, entity_rows, made, stocked_group
from tests.stocked_store import client_of, make_feature, make_group, make_user, put_history

pytestmark = pytest.mark.django_db

ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
BODY = {
    "name": "churn training",
    "entity_df": [
        {"customer_id": 1, "event_timestamp": "2025-01-03T00:00:00Z", "churned": True},
        {"customer_id": 2, "event_timestamp": "2025-01-09", "churned": False},
    ],
    "features": ["balance", "visits"],
}


@pytest.fixture
def group() -> FeatureGroup:
    return stocked_group()


@pytest.fixture
def sara() -> User:
    return make_user("sara", Role.DATA_SCIENTIST)


@pytest.fixture
def client(sara: User) -> Client:
    return client_of(sara, ("read", "write"))


@pytest.fixture
def vera() -> Client:
    """A teammate who may read."""
    return client_of(make_user("vera", Role.VIEWER), ("read", "write"))


@pytest.fixture
def stig() -> Client:
    """Somebody without a role."""
    return client_of(make_user("stig"), ("read", "write"))


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    ids: list[object] = []
    monkeypatch.setattr("serving.api.datasets.wake_builder", ids.append)
    return ids


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def download(client: Client, dataset: TrainingDataset, **parameters: Any) -> pa.Table:
    response = client.get(f"/api/v1/datasets/{dataset.pk}/download", parameters)
    body = content(response)
    assert (response.status_code, response["Content-Type"]) == (200, PARQUET), body
    assert response["X-Content-Hash"] == dataset.content_hash
    return pq.read_table(io.BytesIO(body))


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(access_folder().glob("*")) for line in path.read_text().splitlines()]


def test_asking_for_a_dataset(
    group: FeatureGroup, client: Client, woken: list[object], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        status, body = send(client, "POST", "datasets", BODY)

    dataset = TrainingDataset.objects.get()
    assert (status, body) == (
        202,
        {
            "id": str(dataset.pk),
            "name": "churn training",
            "state": "queued",
            "url": f"http://testserver/api/v1/datasets/{dataset.pk}",
        },
    )
    assert woken == [dataset.pk]
    assert records() == []
    build_dataset(dataset.pk)
    dataset.refresh_from_db()
    assert download(client, dataset).to_pylist() == [
        {
            "customer_id": 1,
            "event_timestamp": "2025-01-03T00:00:00Z",
            "churned": True,
            "balance": 10.0,
            "visits": 1,
        },
        {"customer_id": 2, "event_timestamp": "2025-01-09", "churned": False, "balance": 20.0, "visits": None},
    ]
    assert [(one["caller"], one["kind"], one["entities"], one["features"]) for one in records()] == [
        ("sara", "historical", 2, ["customer_balance_v1", "customer_visits_v1"])
    ] * 2


@pytest.mark.parametrize("kind", [ARROW, PARQUET])
def test_entity_rows_as_a_table(kind: str, group: FeatureGroup, client: Client) -> None:
    sink = io.BytesIO()
    if kind == ARROW:
        with pa.ipc.new_stream(sink, entity_rows().schema) as writer:
            writer.write_table(entity_rows())
    else:
        pq.write_table(entity_rows(), sink)
    query = (
        "name=by+table&description=for+a+model&features=balance,visits&end=2025-01-31&as_known_at=2025-01-06"
        "&at=2025-01-07&table_versions=finance:2"
    )

    response = client.post(f"/api/v1/datasets?{query}", sink.getvalue(), content_type=kind)

    assert response.status_code == 202, response.content
    dataset = build_dataset(TrainingDataset.objects.get().pk)
    assert (dataset.name, dataset.description, dataset.entity_rows) == ("by table", "for a model", 4)
    assert download(client, dataset).column("balance").to_pylist() == [10.0, None, 50.0, None]
    pinned = ask(client, f"datasets/{dataset.pk}")[1]["pinned"]
    assert (pinned["known_at"], pinned["end"], pinned["at"]) == (
        "2025-01-06T23:59:59.999999Z",
        "2025-01-31T23:59:59.999999Z",
        "2025-01-31T23:59:59.999999Z",
    )


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"name": None}, "name is a text"),
        ({"name": 7}, "name is a text"),
        ({"description": ["x"]}, "description is a text"),
        ({"at": "noon"}, "at is 'noon'"),
        ({"at": "2025-01-01T00:00:00"}, "no time zone"),
        ({"table_versions": ["finance"]}, "table_versions is an object"),
        ({"table_versions": {"finance": "1"}}, "table_versions is an object"),
        ({"table_versions": {"others": 1}}, "names others"),
        ({"entity_df": "all"}, "list of objects"),
        ({"entity_df": [{"entity": 1}]}, "customer_id"),
        ({"features": []}, "no feature was asked for"),
        ({"service": "churn"}, "one of the two"),
        ({"format": "csv"}, "format is not a field"),
        ({"as_known_at": 7}, "as_known_at"),
    ],
)
def test_bodies_that_make_no_sense(changes: dict[str, Any], hint: str, group: FeatureGroup, client: Client) -> None:
    answer = send(client, "POST", "datasets", BODY | changes)
    assert error_of(answer) == (400, "invalid_input")
    assert hint in answer[1]["error"]["message"]
    assert not TrainingDataset.objects.exists()


def test_what_is_not_there(group: FeatureGroup, client: Client) -> None:
    assert error_of(send(client, "POST", "datasets", BODY | {"features": ["balanse"]})) == (404, "unknown_feature")
    assert error_of(send(client, "POST", "datasets", BODY | {"table_versions": {"finance": 99}})) == (409, "conflict")
    missing = uuid4()
    for method, path in (("GET", ""), ("GET", "/download"), ("POST", "/verify"), ("DELETE", "")):
        assert error_of(send(client, method, f"datasets/{missing}{path}")) == (404, "not_found")
    assert error_of(ask(client, "datasets/7")) == (404, "not_found")


def test_who_may_not_read_values_makes_none(group: FeatureGroup, stig: Client, sara: User) -> None:
    assert error_of(send(stig, "POST", "datasets", BODY)) == (403, "permission_denied")
    assert error_of(send(Client(), "POST", "datasets", BODY)) == (401, "not_authenticated")
    reading = client_of(sara, ("read",))
    assert error_of(send(reading, "POST", "datasets", BODY)) == (403, "permission_denied")
    assert not TrainingDataset.objects.exists()


def test_the_list(group: FeatureGroup, client: Client, vera: Client, stig: Client, sara: User) -> None:
    first, second = made(sara, name="first churn"), asked(make_user("olga", Role.STEWARD), name="second")
    status, body = ask(vera, "datasets")
    assert (status, body["count"], [one["name"] for one in body["results"]]) == (200, 2, ["second", "first churn"])
    told = body["results"][1]
    assert (told["id"], told["state"], told["row_count"], told["content_hash"]) == (
        str(first.pk),
        "succeeded",
        4,
        first.content_hash,
    )
    assert told["features"] == ["customer_balance_v1", "customer_visits_v1"]

    def names(**filters: str) -> list[str]:
        return [one["name"] for one in ask(client, "datasets", **filters)[1]["results"]]

    assert names(state="queued") == ["second"]
    assert names(state="queued,succeeded", created_by="sara") == ["first churn"]
    assert names(q="CHURN first") == ["first churn"]
    assert names(archived="true") == []
    assert send(client, "DELETE", f"datasets/{first.pk}")[0] == 204
    assert (names(), names(archived="true")) == (["second"], ["first churn"])
    assert error_of(ask(client, "datasets", stat="queued")) == (400, "invalid_input")
    for wrong in ({"state": "zz"}, {"archived": "zz"}):
        refused = ask(client, "datasets", **wrong)
        assert error_of(refused) == (400, "invalid_input")
        assert "there is no 'zz'; it is one of " in refused[1]["error"]["message"]
    assert error_of(ask(stig, "datasets")) == (403, "permission_denied")
    assert error_of(ask(Client(), "datasets")) == (401, "not_authenticated")
    assert ask(client, "datasets", page_size=1)[1]["next"] is None
    assert second.pk is not None


def test_queries_do_not_grow_with_datasets(
    group: FeatureGroup, client: Client, sara: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        asked(sara, name=f"number {number}")
    ask(client, "datasets")
    with django_assert_max_num_queries(6):
        assert len(ask(client, "datasets")[1]["results"]) == 8


def test_everything_that_is_pinned_is_told(group: FeatureGroup, vera: Client, sara: User) -> None:
    dataset = made(sara, description="for the churn model")

    status, body = ask(vera, f"datasets/{dataset.pk}")

    assert status == 200
    assert (body["name"], body["description"], body["created_by"]) == ("churn training", "for the churn model", "sara")
    assert (body["entity_rows"], body["entity_rows_hash"]) == (4, dataset.entity_rows_hash)
    assert (body["content_hash"], body["code_version"]) == (dataset.content_hash, dataset.code_version)
    assert (body["verified_at"], body["verified_identical"]) == (None, None)
    assert [column["name"] for column in body["columns"]] == [
        "customer_id",
        "event_timestamp",
        "churned",
        "balance",
        "visits",
    ]
    pinned = body["pinned"]
    assert pinned["features"][0] == {
        "reference": "balance",
        "feature_id": "customer_balance_v1",
        "version": "1.0",
        "group": "finance",
        "entity": "customer",
        "data_type": "float",
        "default": None,
        "mask": None,
    }
    assert [(table["group"], table["version"]) for table in pinned["tables"]] == [("finance", 3)]
    assert pinned["entities"] == [{"name": "customer", "join_keys": ["customer_id"], "columns": ["customer_id"]}]
    assert body["download_url"] == f"http://testserver/api/v1/datasets/{dataset.pk}/download"
    assert f'made = client.download_dataset("{dataset.pk}", as_table=True)' in body["snippet"]
    assert 'features=["finance:balance@1.0", "finance:visits@1.0"]' in body["snippet"]
    assert 'table_versions={"finance": 3}' in body["snippet"]
    names = {node["id"]: (node["kind"], node["name"]) for node in body["lineage"]["nodes"]}
    assert sorted((names[edge["source"]], names[edge["target"]]) for edge in body["lineage"]["edges"]) == [
        (("feature", "customer_balance_v1"), ("dataset", f"churn training/{dataset.pk}")),
        (("feature", "customer_visits_v1"), ("dataset", f"churn training/{dataset.pk}")),
    ]
    down = ask(vera, "metadata/features/balance/lineage")[1]
    assert ("dataset", f"churn training/{dataset.pk}") in [(node["kind"], node["name"]) for node in down["nodes"]]


def test_splits(group: FeatureGroup, client: Client, sara: User) -> None:
    dataset = made(sara)
    whole = download(client, dataset, seed=3)
    assert whole.column_names == ["customer_id", "event_timestamp", "churned", "balance", "visits", "split"]
    fractions = "train:0.5,check:.25,test:0.25"
    parts = [download(client, dataset, split=name, fractions=fractions, seed=3) for name in ("train", "check", "test")]
    assert sum(part.num_rows for part in parts) == 4
    keys = [set(part.column("customer_id").to_pylist()) for part in parts]
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert parts[0].equals(download(client, dataset, split="train", fractions=fractions, seed=3))
    assert "split" not in parts[0].column_names
    assert download(client, dataset, by="row").num_rows == 4


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ({"split": "valid"}, "the parts are train, test"),
        ({"fractions": "train:0.8"}, "add up to 0.8"),
        ({"fractions": "train=0.8"}, "name:fraction"),
        ({"fractions": "a:0.5,a:0.5"}, "name:fraction"),
        ({"fractions": ""}, "name:fraction"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"seed": "9" * 30}, "seed is"),
        ({"by": "customer"}, "by entity or by row"),
        ({"parts": "2"}, "parts is not a parameter"),
    ],
)
def test_splits_that_make_no_sense(
    query: dict[str, str], hint: str, group: FeatureGroup, client: Client, sara: User
) -> None:
    dataset = made(sara)
    response = client.get(f"/api/v1/datasets/{dataset.pk}/download", query, headers={"accept": PARQUET})
    assert (response.status_code, response["Content-Type"]) == (400, "application/json")
    assert hint in response.json()["error"]["message"]


def test_what_is_not_built_cannot_be_downloaded(group: FeatureGroup, client: Client, sara: User) -> None:
    dataset = asked(sara)
    for method, path in (("GET", "download"), ("POST", "verify")):
        answer = send(client, method, f"datasets/{dataset.pk}/{path}")
        assert error_of(answer) == (409, "conflict")
        assert "queued" in answer[1]["error"]["message"]
    assert ask(client, f"datasets/{dataset.pk}")[1]["state"] == "queued"


def test_a_file_that_is_gone_or_damaged_is_a_conflict(group: FeatureGroup, client: Client, sara: User) -> None:
    dataset = made(sara)
    file = folder_of(dataset.pk) / dataset.result_file
    file.write_bytes(b"PAR1 nothing PAR1")
    assert error_of(send(client, "GET", f"datasets/{dataset.pk}/download?seed=1")) == (409, "conflict")
    file.unlink()
    for query in ("", "?seed=1"):
        assert error_of(send(client, "GET", f"datasets/{dataset.pk}/download{query}")) == (409, "conflict")


def test_a_download_promises_its_length(group: FeatureGroup, client: Client, sara: User) -> None:
    dataset = made(sara)
    for query in ("", "?split=train"):
        response = client.get(f"/api/v1/datasets/{dataset.pk}/download{query}")
        assert int(response["Content-Length"]) == len(content(response))


def test_values_in_the_clear_are_only_for_those_who_may_see_them(
    client: Client, vera: Client, stig: Client, sara: User
) -> None:
    people = make_group("people", sensitivity="personal")
    make_feature(people, "surname", "string", mask="partial")
    put_history(people, [{"key": "1", "event": day(1), "surname_v1": "Nováková"}])
    masked = made(sara, features=["surname"])
    ValueGrant.objects.create(group=people, user=sara)
    clear = made(sara, features=["surname"])

    assert download(vera, masked).column("surname").to_pylist()[2] == "***vá"
    assert download(client, clear).column("surname").to_pylist()[2] == "Nováková"
    for method, path in (("GET", "download"), ("POST", "verify")):
        answer = send(vera, method, f"datasets/{clear.pk}/{path}")
        assert error_of(answer) == (403, "permission_denied")
        assert answer[1]["error"]["details"] == {"features": ["surname"]}
        assert error_of(send(stig, method, f"datasets/{masked.pk}/{path}")) == (403, "permission_denied")
        assert error_of(send(Client(), method, f"datasets/{masked.pk}/{path}")) == (401, "not_authenticated")
    ValueGrant.objects.all().delete()
    assert error_of(send(client, "GET", f"datasets/{clear.pk}/download")) == (403, "permission_denied")
    clear.refresh_from_db()
    assert clear.verification is None


def test_verifying(group: FeatureGroup, vera: Client, sara: User) -> None:
    dataset = made(sara)
    before = len(records())

    status, body = send(vera, "POST", f"datasets/{dataset.pk}/verify")

    assert status == 200
    assert body.pop("checked_at")
    assert body == {
        "identical": True,
        "row_count": 4,
        "content_hash": dataset.content_hash,
        "recomputed_hash": dataset.content_hash,
        "tables": [{"group": "finance", "pinned": 3, "used": 3}],
        "differing_cells": 0,
        "differing_columns": {},
        "differences": [],
        "reasons": [],
    }
    assert [(one["caller"], one["entities"]) for one in records()[before:]] == [("vera", 4)]
    assert ask(vera, f"datasets/{dataset.pk}")[1]["verified_identical"] is True


def test_archiving(group: FeatureGroup, client: Client, vera: Client, sara: User) -> None:
    dataset = made(sara)
    assert error_of(send(vera, "DELETE", f"datasets/{dataset.pk}")) == (403, "permission_denied")
    assert error_of(send(Client(), "DELETE", f"datasets/{dataset.pk}")) == (401, "not_authenticated")
    dataset.refresh_from_db()
    assert dataset.archived_at is None

    assert send(client, "DELETE", f"datasets/{dataset.pk}") == (204, None)
    assert send(client, "DELETE", f"datasets/{dataset.pk}") == (204, None)

    dataset.refresh_from_db()
    assert dataset.archived_at is not None
    [event] = AuditEvent.objects.filter(action="archive")
    assert (event.actor, event.object_id, list(event.after)) == ("sara", str(dataset.pk), ["archived_at"])
    assert error_of(send(client, "GET", f"datasets/{dataset.pk}/download")) == (409, "conflict")
    assert ask(client, f"datasets/{dataset.pk}")[1]["archived_at"] is not None
    engineer = client_of(make_user("eva", Role.DATA_ENGINEER), ("write",))
    assert send(engineer, "DELETE", f"datasets/{made(sara).pk}")[0] == 204

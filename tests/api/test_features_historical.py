"""POST features/historical."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from django.test import Client

from catalog.access import Role
from catalog.models import FeatureGroup
from featurestore_site.configuration import Configuration
from serving.stores.offline import history_location, open_history
from tests.stocked_store import client_of, make_entity, make_feature, make_group, make_service, make_user, put_history

pytestmark = pytest.mark.django_db

PATH = "/api/v1/features/historical"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"


def day(number: int) -> datetime:
    return datetime(2025, 1, number, 12, tzinfo=UTC)


@pytest.fixture
def group() -> FeatureGroup:
    group = make_group()
    make_feature(group, "balance_mean")
    make_feature(group, "visits", "integer")
    make_feature(group, "last_seen", "timestamp")
    make_feature(group, "embedding", "float_list")
    make_feature(group, "never_ingested")
    put_history(
        group,
        [
            {"key": "1", "event": day(1), "balance_mean_v1": 1.0, "visits_v1": 2**53 + 1, "last_seen_v1": day(1)},
            {"key": "1", "event": day(5), "created": day(9), "balance_mean_v1": 5.0, "embedding_v1": [1.0, 2.5]},
            {"key": "ключ/é", "event": day(2), "balance_mean_v1": float("nan"), "visits_v1": 2},
        ],
    )
    return group


@pytest.fixture
def reader() -> Client:
    return client_of(make_user("reader", Role.VIEWER))


def ask(client: Client, body: object, accept: str = "application/json") -> Any:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post(PATH, text, content_type="application/json", headers={"accept": accept})


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def rows(client: Client, body: object) -> list[dict[str, Any]]:
    response = ask(client, body)
    text = content(response)
    assert response.status_code == 200, text
    answer = json.loads(text)
    assert answer["row_count"] == len(answer["data"])
    return answer["data"]


def values(client: Client, entity_df: list[dict[str, Any]], **request: Any) -> list[Any]:
    return [
        row["balance_mean"] for row in rows(client, {"entity_df": entity_df, "features": ["balance_mean"], **request})
    ]


def refused(client: Client, body: object, status: int = 400) -> str:
    response = ask(client, body)
    assert response.status_code == status, content(response)
    return response.json()["error"]["message"]


def at(number: int) -> str:
    return day(number).isoformat()


def as_stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def post_table(client: Client, table: pa.Table, query: str, accept: str = ARROW) -> Any:
    return client.post(f"{PATH}?{query}", as_stream(table), content_type=ARROW, headers={"accept": accept})


def test_values_at_their_time_and_rows_untouched(group: FeatureGroup, reader: Client) -> None:
    entity_df = [
        {"entity_id": 1, "event_timestamp": at(1), "label": True, "x": {"deep": [1]}},
        {"entity_id": "1", "event_timestamp": at(6), "label": "mixed"},
        {"entity_id": 1, "event_timestamp": "2024-12-31T23:59:59.999999Z"},
        {"entity_id": 404, "event_timestamp": at(6)},
        {"entity_id": 1, "event_timestamp": at(1), "label": True, "x": {"deep": [1]}},
        {"entity_id": "ключ/é", "event_timestamp": at(6)},
        {"entity_id": None, "event_timestamp": at(6)},
    ]
    response = ask(reader, {"entity_df": entity_df, "features": ["balance_mean", "visits"]})
    answer = json.loads(content(response))
    assert answer["columns"] == ["entity_id", "event_timestamp", "label", "x", "balance_mean", "visits"]
    assert (answer["row_count"], answer["masked"]) == (7, [])
    joined = [(1.0, 2**53 + 1), (5.0, None), (None, None), (None, None), (1.0, 2**53 + 1), (None, 2), (None, None)]
    assert answer["data"] == [
        {**row, "balance_mean": balance, "visits": visits}
        for row, (balance, visits) in zip(entity_df, joined, strict=True)
    ]


def test_a_row_without_time_is_taken_at_the_end_of_the_range_or_now(group: FeatureGroup, reader: Client) -> None:
    assert values(reader, [{"entity_id": 1}]) == [5.0]
    assert values(reader, [{"entity_id": 1}], timestamp_range={"end": "2025-01-04"}) == [1.0]
    assert values(reader, [{"entity_id": 1}], timestamp_range={"start": "2025-01-06"}) == [None]
    assert values(reader, [{"entity_id": 1}], timestamp_range={"start": "2025-01-05", "end": "2025-01-05"}) == [5.0]


def test_a_bare_date_is_its_first_moment(group: FeatureGroup, reader: Client) -> None:
    assert values(reader, [{"entity_id": 1, "event_timestamp": "2025-01-05"}]) == [1.0]
    assert values(reader, [{"entity_id": 1, "event_timestamp": "2025-01-06"}]) == [5.0]


def test_only_what_was_known(group: FeatureGroup, reader: Client) -> None:
    entity = [{"entity_id": 1, "event_timestamp": at(6)}]
    assert values(reader, entity, as_known_at="2025-01-08") == [1.0]
    assert values(reader, entity, as_known_at="2025-01-09") == [5.0]
    assert values(reader, entity, as_known_at="event_time") == [1.0]


def test_max_age_and_defaults(reader: Client) -> None:
    group = make_group("daily", max_age=timedelta(days=1))
    make_feature(group, "score", default_value=-1.0)
    make_feature(group, "since", "timestamp", default_value="2020-01-01T00:00:00Z")
    put_history(group, [{"key": "1", "event": day(1), "score_v1": 1.0}])
    entity_df = [{"entity_id": 1, "event_timestamp": at(number)} for number in (2, 3)]
    answer = rows(reader, {"entity_df": entity_df, "features": ["score", "since"]})
    assert [row["score"] for row in answer] == [1.0, -1.0]
    assert [row["since"] for row in answer] == [None, "2020-01-01T00:00:00.000000Z"]


def test_a_group_without_history_gives_nulls(reader: Client) -> None:
    make_feature(make_group("empty"), "nothing")
    assert rows(reader, {"entity_df": [{"customer_id": 1}], "features": ["nothing"]}) == [
        {"customer_id": 1, "nothing": None}
    ]


def test_composite_keys(group: FeatureGroup, reader: Client) -> None:
    accounts = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(accounts, "limit")
    put_history(
        accounts, [{"key": "1|23", "event": day(1), "limit_v1": 1.0}, {"key": "12|3", "event": day(1), "limit_v1": 2.0}]
    )
    entity_df = [{"bank": "1", "number": 23, "customer_id": 1}, {"bank": 12, "number": "3", "customer_id": "x"}]
    answer = rows(reader, {"entity_df": entity_df, "features": ["limit", "balance_mean"]})
    assert [(row["limit"], row["balance_mean"]) for row in answer] == [(1.0, 5.0), (2.0, None)]
    assert "bank" in refused(reader, {"entity_df": [{"entity_id": 1}], "features": ["limit"]})
    assert "customer_id" in refused(
        reader, {"entity_df": [{"entity_id": 1, "bank": 1, "number": 2}], "features": ["limit", "balance_mean"]}
    )


def test_arrow_in_arrow_out(group: FeatureGroup, reader: Client) -> None:
    table = pa.table(
        {
            "customer_id": pa.array([1, 2, None], pa.int64()),
            "event_timestamp": pa.array([day(6)] * 3, pa.timestamp("ns", tz="Europe/Berlin")),
            "label": pa.array(["a", None, "c"]).dictionary_encode(),
        }
    )
    response = post_table(reader, table, "features=balance_mean,visits,last_seen&features=embedding,never_ingested")
    assert (response.status_code, response["Content-Type"]) == (200, ARROW)
    answer = pa.ipc.open_stream(content(response)).read_all()
    assert answer.select(table.column_names).equals(table)
    assert answer.schema.field("last_seen").type == pa.timestamp("us", tz="UTC")
    assert answer.select(["balance_mean", "visits", "embedding", "never_ingested"]).to_pylist() == [
        {"balance_mean": 5.0, "visits": None, "embedding": [1.0, 2.5], "never_ingested": None},
        {"balance_mean": None, "visits": None, "embedding": None, "never_ingested": None},
        {"balance_mean": None, "visits": None, "embedding": None, "never_ingested": None},
    ]


def test_parquet_in_every_format_out(group: FeatureGroup, reader: Client) -> None:
    table = pa.table({"entity_id": ["1"], "event_timestamp": pa.array([day(1)], pa.timestamp("us", tz="UTC"))})
    sink = io.BytesIO()
    pq.write_table(table, sink)

    def answered(accept: str) -> bytes:
        response = reader.post(
            f"{PATH}?features=visits,last_seen,embedding",
            sink.getvalue(),
            content_type=PARQUET,
            headers={"accept": accept},
        )
        assert (response.status_code, response["Content-Type"]) == (200, accept)
        return content(response)

    expected = {"visits": 2**53 + 1, "last_seen": day(1), "embedding": None}
    parquet = pq.read_table(io.BytesIO(answered(PARQUET)))
    assert parquet.select(list(expected)).to_pylist() == [expected]
    assert answered("text/csv").decode().splitlines() == [
        '"entity_id","event_timestamp","visits","last_seen","embedding"',
        '"1","2025-01-01T12:00:00.000000Z",9007199254740993,"2025-01-01T12:00:00.000000Z",',
    ]
    assert json.loads(answered("application/json"))["data"] == [
        {
            "entity_id": "1",
            "event_timestamp": "2025-01-01T12:00:00.000000Z",
            "visits": 2**53 + 1,
            "last_seen": "2025-01-01T12:00:00.000000Z",
            "embedding": None,
        }
    ]


def test_many_rows_stream_in_order(group: FeatureGroup, reader: Client) -> None:
    count = 40_000
    table = pa.table({"entity_id": pa.array([number % 3 for number in range(count)]), "row": range(count)})
    for accept in (ARROW, PARQUET, "text/csv", "application/json"):
        response = post_table(reader, table, "features=balance_mean", accept)
        body = content(response)
        match accept:
            case "application/json":
                answer = pa.Table.from_pylist(json.loads(body)["data"])
            case "text/csv":
                answer = pacsv.read_csv(io.BytesIO(body))
            case _:
                answer = pq.read_table(io.BytesIO(body)) if accept == PARQUET else pa.ipc.open_stream(body).read_all()
        assert answer.column("row").to_pylist() == list(range(count))
        assert answer.column("balance_mean").to_pylist()[:3] == [None, 5.0, None]
        assert answer.column("balance_mean").null_count == count - len(range(1, count, 3))


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["2025-01-06", "2025-01-01T12:00:00+00:00", None]),
        pa.array(["2025-01-06", "2025-01-01T12:00:00+00:00", None]).dictionary_encode(),
    ],
)
def test_texts_as_times_as_stream(group: FeatureGroup, reader: Client, column: pa.Array) -> None:
    table = pa.table({"entity_id": [1, 1, 1], "event_timestamp": column})
    answer = pa.ipc.open_stream(content(post_table(reader, table, "features=balance_mean"))).read_all()
    assert answer["balance_mean"].to_pylist() == [5.0, 1.0, 5.0]


def test_dates_as_stream(group: FeatureGroup, reader: Client) -> None:
    for kind in (pa.date32(), pa.date64()):
        table = pa.table({"entity_id": [1], "event_timestamp": pa.array([day(5).date()], kind)})
        answer = pa.ipc.open_stream(content(post_table(reader, table, "features=balance_mean"))).read_all()
        assert answer["balance_mean"].to_pylist() == [1.0]


@pytest.mark.parametrize(
    ("table", "query", "hint"),
    [
        ({"entity_id": [1], "event_timestamp": pa.array([0], pa.timestamp("us"))}, "features=visits", "time zone"),
        ({"entity_id": [1], "event_timestamp": [5]}, "features=visits", "timestamps with a zone"),
        ({"entity_id": [1], "event_timestamp": ["2025-01-01T00:00:00"]}, "features=visits", "time zone"),
        ({"entity_id": [1], "visits": [1]}, "features=visits", "already has"),
        ({"other": [1]}, "features=visits", "neither entity_id nor customer_id"),
        ({"entity_id": [1.5]}, "features=visits", "join key"),
        ({"entity_id": [True]}, "features=visits", "join key"),
        ({"entity_id": [1]}, "", "name the features"),
        ({"entity_id": [1]}, "features=visits&service=churn", "one of the two"),
        ({"entity_id": [1]}, "features=visits&feature=x", "feature is not a parameter"),
        ({"entity_id": [1]}, "features=visits&start=1&start=2", "twice"),
        ({"entity_id": [1]}, "features=visits&end=yesterday", "end"),
        ({"entity_id": [1]}, "features=visits&start=2025-01-02&end=2025-01-01", "ends before it starts"),
    ],
)
def test_tables_that_make_no_sense(
    group: FeatureGroup, reader: Client, table: dict[str, Any], query: str, hint: str
) -> None:
    response = post_table(reader, pa.table(table), query)
    assert (response.status_code, response["Content-Type"]) == (400, "application/json")
    assert hint in response.json()["error"]["message"]


@pytest.mark.parametrize("kind", [ARROW, PARQUET])
def test_bodies_that_are_damaged(group: FeatureGroup, reader: Client, kind: str) -> None:
    sink = io.BytesIO()
    table = pa.table({"entity_id": list(range(1000))})
    if kind == ARROW:
        sink.write(as_stream(table))
    else:
        pq.write_table(table, sink)
    whole = sink.getvalue()
    for body in (b"", b"hello", whole[: len(whole) // 2], whole[100:]):
        response = reader.post(f"{PATH}?features=visits", body, content_type=kind)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_input")


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"entity_df": None}, "entity_df"),
        ({"entity_df": {"entity_id": [1]}}, "list of objects"),
        ({"entity_df": [1]}, "entity_df[0]"),
        ({"entity_df": [{"entity_id": 1}, {"other": 2}]}, "entity_df[1] lacks entity_id"),
        ({"entity_df": [{"entity_id": True}]}, "entity_df[0]"),
        ({"entity_df": [{"entity_id": 1, "event_timestamp": "2025-01-01T00:00:00"}]}, "write 2025-01-01T00:00:00Z"),
        ({"entity_df": [{"entity_id": 1, "event_timestamp": 1735689600}]}, "entity_df[0].event_timestamp"),
        ({"entity_df": [{"entity_id": 1, "event_timestamp": "0001-01-01T00:00:00+14:00"}]}, "event_timestamp"),
        ({"entity_df": [{"entity_id": 1, "visits": 3}]}, "already has"),
        ({"timestamp_range": []}, "timestamp_range"),
        ({"timestamp_range": {"from": "2025-01-01"}}, "from is not an end"),
        ({"timestamp_range": {"start": "2025-01-01T00:00:00"}}, "timestamp_range.start"),
        ({"as_known_at": 7}, "as_known_at"),
        ({"features": None}, "name the features"),
        ({"service": "churn"}, "one of the two"),
        ({"format": "csv"}, "format is not a field"),
    ],
)
def test_bodies_that_make_no_sense(group: FeatureGroup, reader: Client, changes: dict[str, Any], hint: str) -> None:
    body = {"entity_df": [{"entity_id": 1}], "features": ["visits"], **changes}
    assert hint in refused(reader, body)


def test_an_empty_frame_gives_an_empty_answer(group: FeatureGroup, reader: Client) -> None:
    assert rows(reader, {"entity_df": [], "features": ["visits"]}) == []
    empty = pa.table({"entity_id": pa.array([], pa.int64())})
    answer = pa.ipc.open_stream(content(post_table(reader, empty, "features=visits"))).read_all()
    assert (answer.num_rows, answer.column_names) == (0, ["entity_id", "visits"])


def test_a_table_without_columns_gives_an_empty_answer(group: FeatureGroup, reader: Client) -> None:
    response = reader.post(f"{PATH}?features=balance_mean", as_stream(pa.table({})), content_type=ARROW)
    assert (response.status_code, response["X-Row-Count"]) == (200, "0")
    assert json.loads(response.getvalue())["data"] == []


@pytest.mark.parametrize(
    "far",
    [
        pa.array([2**62], pa.timestamp("s", "UTC")),
        pa.array([2**62], pa.duration("s")),
        pa.array([2**30], pa.date32()),
    ],
    ids=["timestamp", "duration", "date"],
)
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_times_that_no_answer_can_write(group: FeatureGroup, reader: Client, far: pa.Array, accept: str) -> None:
    body = as_stream(pa.table({"entity_id": ["1"], "far": far}))
    response = reader.post(f"{PATH}?features=balance_mean", body, content_type=ARROW, headers={"accept": accept})
    assert response.status_code == 400
    assert json.loads(response.content)["error"]["details"] == {"column": "far"}


@pytest.mark.parametrize("accept", ["application/json", "text/csv", ARROW])
def test_values_nested_too_deeply_are_refused(group: FeatureGroup, reader: Client, accept: str) -> None:
    deep = b'{"entity_df": [{"entity_id": 1, "x": ' + b"[" * 900 + b"]" * 900 + b'}], "features": ["visits"]}'
    response = ask(reader, deep, accept)
    assert (response.status_code, response["Content-Type"]) == (400, "application/json")
    assert response.json()["error"]["code"] == "invalid_input"


def test_a_column_without_a_form_in_the_format_is_refused(group: FeatureGroup, reader: Client) -> None:
    thousands = pa.array([Decimal("15000")], pa.decimal128(20, -3))
    table = pa.table({"entity_id": [1], "x": thousands})
    response = post_table(reader, table, "features=visits", PARQUET)
    assert (response.status_code, "cannot be given back" in response.json()["error"]["message"]) == (400, True)
    answer = pa.ipc.open_stream(content(post_table(reader, table, "features=visits"))).read_all()
    assert answer["x"].chunk(0) == thousands


def test_columns_of_every_kind_in_csv(group: FeatureGroup, reader: Client) -> None:
    table = pa.table(
        {
            "entity_id": ["1"],
            "raw": [b"\x00\xff"],
            "fixed": pa.array([b"\x00\xff"], pa.binary(2)),
            "view": pa.array(["a,b"], pa.string_view()),
            "uuid": pa.array([bytes(16)], pa.uuid()),
            "kind": pa.array(["x"]).dictionary_encode(),
            "money": pa.array([Decimal("1.50")]),
            "parts": [{"a": [1, None]}],
        }
    )
    assert content(post_table(reader, table, "features=visits", "text/csv")).decode().splitlines()[1] == (
        '"1","AP8=","AP8=","a,b","00000000-0000-0000-0000-000000000000","x",1.50,"{""a"":[1,null]}",'
    )


def test_a_body_with_a_content_encoding_is_refused(group: FeatureGroup, reader: Client) -> None:
    body = gzip.compress(json.dumps({"entity_df": [{"entity_id": 1}], "features": ["visits"]}).encode())
    response = reader.post(PATH, body, content_type="application/json", headers={"content-encoding": "gzip"})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert "gzip" in response.json()["error"]["message"]


def test_a_history_that_cannot_be_read_is_not_the_callers_fault(
    group: FeatureGroup, reader: Client, caplog: pytest.LogCaptureFixture
) -> None:
    history = open_history(group)
    assert history is not None
    many = [{"entity_id": number} for number in range(500)]
    for file in history.files:
        (Path(history_location(group)) / file.path).write_bytes(b"PAR1 damaged PAR1")
    for accept in (ARROW, PARQUET, "text/csv", "application/json"):
        response = ask(reader, {"entity_df": many, "features": ["visits"]}, accept)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "unavailable")
    assert "could not be read" in caplog.text


def test_mixed_columns_need_a_json_answer(group: FeatureGroup, reader: Client) -> None:
    body = {"entity_df": [{"entity_id": 1}, {"entity_id": "1"}], "features": ["visits"]}
    response = ask(reader, body, ARROW)
    assert (response.status_code, response["Content-Type"]) == (400, "application/json")
    assert "'entity_id'" in response.json()["error"]["message"]


def test_too_many_rows_for_json(
    group: FeatureGroup, reader: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    base: Configuration = settings.FEATURESTORE
    serving = base.serving.model_copy(update={"max_rows_json": 2})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(base, serving=serving))
    body = {"entity_df": [{"entity_id": 1}] * 3, "features": ["visits"]}
    message = refused(reader, body, 413)
    assert ARROW in message
    assert PARQUET in message
    assert "SDK" in message
    assert ask(reader, body, ARROW).status_code == 200


def test_an_unknown_media_type_is_not_acceptable(group: FeatureGroup, reader: Client) -> None:
    response = ask(reader, {"entity_df": [{"entity_id": 1}], "features": ["visits"]}, "image/png")
    assert (response.status_code, response.json()["error"]["code"]) == (406, "not_acceptable")


def test_a_feature_service(group: FeatureGroup, reader: Client) -> None:
    make_service("churn", group.features.get(name="balance_mean").default_version)
    answer = rows(reader, {"entity_df": [{"entity_id": 1}], "service": "churn"})
    assert answer == [{"entity_id": 1, "balance_mean": 5.0}]


def test_who_may_not_read_reads_nothing(group: FeatureGroup) -> None:
    body = {"entity_df": [{"entity_id": 1}], "features": ["visits"]}
    assert ask(client_of(make_user("without role")), body).status_code == 403
    assert ask(client_of(None), body).status_code == 401


def test_masked_columns(reader: Client) -> None:
    group = make_group("people", sensitivity="personal")
    make_feature(group, "surname", "string", mask="partial")
    make_feature(group, "born", "timestamp", mask="bucket")
    make_feature(group, "income", mask="bucket")
    make_feature(group, "vector", "float_list", mask="hash")
    make_feature(group, "phone", "string")
    put_history(
        group,
        [
            {
                "key": "1",
                "event": day(1),
                "surname_v1": "Nováková",
                "born_v1": day(1),
                "income_v1": 161993.89,
                "vector_v1": [1.0],
                "phone_v1": "+420",
            }
        ],
    )
    names = ["surname", "born", "income", "vector", "phone"]
    body = {"entity_df": [{"entity_id": 1}, {"entity_id": 2}], "features": names}
    response = ask(reader, body)
    answer = json.loads(content(response))
    assert answer["masked"] == names
    assert response["X-Masked-Columns"] == "5"
    first, second = answer["data"]
    assert len(first.pop("vector")) == 16
    assert first == {
        "entity_id": 1,
        "surname": "***vá",
        "born": "2025-01-01T00:00:00.000000Z",
        "income": 100000.0,
        "phone": None,
    }
    assert set(second.values()) == {2, None}
    arrow = pa.ipc.open_stream(content(ask(reader, body, ARROW))).read_all()
    assert arrow.schema.field("surname").metadata == {b"masked": b"partial"}
    assert arrow.schema.field("born").type == pa.timestamp("us", tz="UTC")
    steward = client_of(make_user("steward", Role.STEWARD))
    assert rows(steward, body)[0]["surname"] == "Nováková"


def test_turned_off(group: FeatureGroup, reader: Client, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    base: Configuration = settings.FEATURESTORE
    serving = base.serving.model_copy(update={"offline_store_enabled": False})
    monkeypatch.setattr(settings, "FEATURESTORE", dataclasses.replace(base, serving=serving))
    message = refused(reader, {"entity_df": [{"entity_id": 1}], "features": ["visits"]}, 503)
    assert "serving.offline_store_enabled" in message

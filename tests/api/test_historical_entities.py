"""POST features/historical with several entities, composite and renamed keys, and aliases."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client

from catalog.access import Role
from catalog.entity_keys import encode_entity_key
from catalog.models import FeatureVersion
from tests.stocked_store import client_of, make_entity, make_feature, make_group, make_service, make_user, put_history

pytestmark = pytest.mark.django_db

PATH = "/api/v1/features/historical"
ARROW = "application/vnd.apache.arrow.stream"


def day(number: int, hour: int = 12) -> datetime:
    return datetime(2025, 1, number, hour, tzinfo=UTC)


@pytest.fixture
def reader() -> Client:
    """Customers, merchants and accounts (with two join keys) have values."""
    customers = make_group("customers")
    balance = make_feature(customers, "balance")
    make_feature(customers, "visits", "integer")
    FeatureVersion.objects.create(feature=balance.feature, major=2, minor=0, data_type="string")
    put_history(
        customers,
        [
            {"key": "1", "event": day(1), "balance_v1": 1.0, "balance_v2": "one", "visits_v1": 10},
            {"key": "1", "event": day(5), "balance_v1": 5.0, "balance_v2": "five", "visits_v1": 50},
            {"key": "2", "event": day(1), "balance_v1": 2.0, "balance_v2": "two", "visits_v1": 20},
        ],
    )
    merchants = make_group("merchants", entity=make_entity("merchant", ("merchant_id",)))
    make_feature(merchants, "turnover")
    put_history(merchants, [{"key": "1", "event": day(1), "turnover_v1": 1000.0}])
    accounts = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(accounts, "limit")
    put_history(
        accounts,
        [
            {"key": "1|23", "event": day(1), "limit_v1": 123.0},
            {"key": "12|3", "event": day(1), "limit_v1": 12.3},
        ],
    )
    return client_of(make_user("reader", Role.VIEWER))


def ask(client: Client, **body: Any) -> Any:
    response: Any = client.post(PATH, json.dumps(body), content_type="application/json")
    text = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, json.loads(text)


def values(client: Client, **body: Any) -> list[tuple[Any, ...]]:
    status, answer = ask(client, **body)
    assert status == 200, answer
    return [tuple(row[name] for name in body["features"]) for row in answer["data"]]


def refused(client: Client, **body: Any) -> str:
    status, answer = ask(client, **body)
    assert (status, answer["error"]["code"]) == (400, "invalid_input"), answer
    return str(answer["error"]["message"])


def test_features_of_several_entities_for_rows_that_carry_all_keys(reader: Client) -> None:
    entity_df = [
        {"customer_id": 1, "merchant_id": 1, "bank": "1", "number": 23, "event_timestamp": day(2).isoformat()},
        {"customer_id": "2", "merchant_id": 2, "bank": 12, "number": "3", "event_timestamp": day(6).isoformat()},
        {"customer_id": None, "merchant_id": 1, "bank": 1, "number": None},
    ]
    features = ["balance", "turnover", "limit", "visits"]
    assert values(reader, entity_df=entity_df, features=features) == [
        (1.0, 1000.0, 123.0, 10),
        (2.0, None, 12.3, 20),
        (None, 1000.0, None, None),
    ]


HOSTILE = [
    "1|23",
    "a\\b",
    "it's",
    'say "x"',
    "'; DROP TABLE history; --",
    "ключ/é",
    "e\u0301",
    "\u00e9",
    "客户 🙂\n\t",
    " 1 ",
    "%_*",
    "k" * 1_000,
    "k" * 1_001,
    "NULL",
    "-0",
]


@pytest.mark.parametrize("form", ["json", "arrow", "dictionary", "parquet"])
@pytest.mark.parametrize("others", [0, 500], ids=["few keys", "many keys"])
def test_hostile_keys_find_their_own_values(reader: Client, form: str, others: int) -> None:
    places = make_group("places", entity=make_entity("place", ("country", "code")))
    make_feature(places, "rank", "integer")
    pairs = [(text, part) for text in HOSTILE for part in (text, "x")]
    stored = [
        {"key": encode_entity_key(list(pair)), "event": day(1), "rank_v1": 2**53 + number}
        for number, pair in enumerate(pairs)
    ]
    put_history(places, stored)
    asked = [*pairs, ("1", "23|x"), ("k" * 999, "kx"), *(("other", str(number)) for number in range(others))]
    columns = {"country": [pair[0] for pair in asked], "code": [pair[1] for pair in asked]}
    if form == "json":
        rows = [dict(zip(columns, pair, strict=True)) for pair in asked]
        found = [rank for (rank,) in values(reader, entity_df=rows, features=["rank"])]
    else:
        table = pa.table(columns)
        if form == "dictionary":
            table = pa.table([column.dictionary_encode() for column in table.columns], names=table.column_names)
        sink = io.BytesIO()
        if form == "parquet":
            pq.write_table(table, sink)
        else:
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
        kind = "application/vnd.apache.parquet" if form == "parquet" else ARROW
        answer: Any = reader.post(
            f"{PATH}?features=rank", sink.getvalue(), content_type=kind, headers={"accept": ARROW}
        )
        found = pa.ipc.open_stream(b"".join(answer.streaming_content)).read_all().column("rank").to_pylist()
    assert found == [2**53 + number for number in range(len(pairs))] + [None] * (2 + others)


def test_one_entity_twice_under_aliases(reader: Client) -> None:
    entity_df = [
        {"payer": 1, "payee": 2, "event_timestamp": day(2).isoformat()},
        {"payer": 2, "payee": 1, "event_timestamp": day(6).isoformat()},
        {"payer": 1, "payee": 1, "event_timestamp": day(6).isoformat()},
    ]
    key_map = {"payer": {"customer_id": "payer"}, "payee": {"customer_id": "payee"}}
    features = ["payer.balance", "payee.customers:visits@1.0", "payee.balance", "payer.balance@2"]
    status, answer = ask(reader, entity_df=entity_df, features=features, key_map=key_map)
    assert status == 200
    assert answer["columns"] == ["payer", "payee", "event_timestamp", *features]
    assert [tuple(row[name] for name in features) for row in answer["data"]] == [
        (1.0, 20, 2.0, "one"),
        (2.0, 50, 5.0, "two"),
        (5.0, 50, 5.0, "five"),
    ]


def test_the_entity_itself_and_an_alias_of_it(reader: Client) -> None:
    entity_df = [{"customer_id": 1, "friend": 2, "event_timestamp": day(2).isoformat()}]
    key_map = {"friend": {"customer_id": "friend"}}
    assert values(reader, entity_df=entity_df, features=["friend.balance", "balance"], key_map=key_map) == [(2.0, 1.0)]
    named_by_id = [{"entity_id": 1, "friend": 2}]
    assert "customer_id" in refused(
        reader, entity_df=named_by_id, features=["friend.balance", "balance"], key_map=key_map
    )


def test_join_keys_in_columns_of_other_names(reader: Client) -> None:
    entity_df = [{"buyer": 1, "bank": 1, "account": 23}, {"buyer": 2, "bank": "12", "account": "3"}]
    key_map = {"customer": {"customer_id": "buyer"}, "account": {"number": "account"}}
    assert values(reader, entity_df=entity_df, features=["balance", "limit"], key_map=key_map) == [
        (5.0, 123.0),
        (2.0, 12.3),
    ]
    # A column that is named as another one's join key stays what it is.
    swapped = [{"bank": 23, "number": 1}]
    crossed = {"account": {"bank": "number", "number": "bank"}}
    assert values(reader, entity_df=swapped, features=["limit"], key_map=crossed) == [(123.0,)]


def test_a_service_for_rows_with_renamed_keys(reader: Client) -> None:
    version = FeatureVersion.objects.get(feature__name="balance", major=1)
    make_service("churn", version)
    status, answer = ask(
        reader, entity_df=[{"buyer": 2}], service="churn", key_map={"customer": {"customer_id": "buyer"}}
    )
    assert (status, answer["data"]) == (200, [{"buyer": 2, "balance": 2.0}])


def test_one_alias_for_two_entities(reader: Client) -> None:
    entity_df = [{"shop": 1, "owner": 2}]
    key_map = {"partner": {"customer_id": "owner", "merchant_id": "shop"}}
    features = ["partner.turnover", "partner.balance"]
    assert values(reader, entity_df=entity_df, features=features, key_map=key_map) == [(1000.0, 2.0)]


def test_two_versions_of_a_feature_and_two_features_of_a_group_with_different_versions(reader: Client) -> None:
    entity_df = [{"entity_id": 1, "event_timestamp": day(2).isoformat()}, {"entity_id": 1}]
    features = ["balance@2", "visits@1.0", "balance@1.0", "balance"]
    assert values(reader, entity_df=entity_df, features=features) == [("one", 10, 1.0, 1.0), ("five", 50, 5.0, 5.0)]


@pytest.mark.parametrize("as_parquet", [False, True], ids=["arrow", "parquet"])
def test_a_key_map_beside_a_table(reader: Client, as_parquet: bool) -> None:
    table = pa.table({"payer": [1, 2], "payee": ["2", None], "amount": pa.array(["x", "y"]).dictionary_encode()})
    sink = io.BytesIO()
    if as_parquet:
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    key_map = json.dumps({"payer": {"customer_id": "payer"}, "payee": {"customer_id": "payee"}})
    response: Any = reader.generic(
        "POST",
        PATH,
        sink.getvalue(),
        content_type="application/vnd.apache.parquet" if as_parquet else ARROW,
        headers={"accept": ARROW},
        query_params={"features": "payer.balance,payee.visits", "key_map": key_map},
    )
    assert response.status_code == 200, response.content
    answer = pa.ipc.open_stream(b"".join(response.streaming_content)).read_all()
    assert answer.select(["payer.balance", "payee.visits"]).to_pydict() == {
        "payer.balance": [5.0, 2.0],
        "payee.visits": [20, None],
    }
    assert answer.column_names == ["payer", "payee", "amount", "payer.balance", "payee.visits"]


BY_PAYER = {"payer": {"customer_id": "payer"}}


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"key_map": []}, "key_map is an object"),
        ({"key_map": {"payer": "payer"}}, "key_map.payer is 'payer'; write"),
        ({"key_map": {"payer": {}}}, "key_map.payer is {}"),
        ({"key_map": {"payer": {"customer_id": 1}}}, "key_map.payer"),
        ({"key_map": {"pay.er": {"customer_id": "payer"}}}, "'pay.er' in key_map is no name"),
        ({"key_map": {}}, "alias payer, which is to stand in key_map, and there is none"),
        ({"key_map": {"payee": {"customer_id": "payer"}}}, "key_map, which has payee"),
        ({"key_map": {**BY_PAYER, "payee": {"customer_id": "payer"}}}, "key_map has payee, for which no feature"),
        ({"key_map": {"payer": {"customer": "payer"}}}, "key_map.payer has customer; the join keys there are"),
        ({"key_map": {"payer": {"customer_id": "sender"}}}, "entity_df lacks sender: key_map.payer has customer_id in"),
        ({"features": ["payer.balance", "payer.balance"]}, "payer.balance is asked for twice"),
        ({"entity_df": [{"payer": 1, "payer.balance": 3}]}, "already has the column payer.balance"),
        ({"entity_df": [{"payer": 1}, {"payee": 1}]}, "entity_df[1] lacks payer"),
        ({"entity_df": [{"payer": True}]}, "entity_df[0]"),
    ],
)
def test_key_maps_that_make_no_sense(reader: Client, changes: dict[str, Any], hint: str) -> None:
    body = {"entity_df": [{"payer": 1}], "features": ["payer.balance"], "key_map": BY_PAYER, **changes}
    assert hint in refused(reader, **body)


def test_an_unknown_feature_under_an_alias_has_the_nearest_names(reader: Client) -> None:
    status, answer = ask(reader, entity_df=[{"payer": 1}], features=["payer.balanse"], key_map=BY_PAYER)
    assert (status, answer["error"]["code"]) == (404, "unknown_feature")
    assert answer["error"]["details"]["nearest"][0] == "balance"


def test_a_key_map_in_the_address_that_is_no_json(reader: Client) -> None:
    table = pa.table({"payer": [1]})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    for text in ("{", "[" * 100_000, '"payer"', "1"):
        response = reader.generic(
            "POST", PATH, sink.getvalue(), content_type=ARROW, query_params={"features": "balance", "key_map": text}
        )
        assert response.status_code in {400, 414}, response.content
        assert response.json()["error"]["code"] == "invalid_input"


class TestZones:
    def test_times_of_other_zones_are_the_same_instants(self, reader: Client) -> None:
        entity_df = [
            {"entity_id": 1, "event_timestamp": "2025-01-05T14:00:00+02:00"},
            {"entity_id": 1, "event_timestamp": "2025-01-05T13:59:59.999999+02:00"},
            {"entity_id": 1, "event_timestamp": "2025-01-05T12:00:00Z"},
            {"entity_id": 1, "event_timestamp": "2025-01-05T12:00:00"},
        ]
        assert values(reader, entity_df=entity_df[:3], features=["balance"]) == [(5.0,), (1.0,), (5.0,)]
        assert "write 2025-01-05T12:00:00Z" in refused(reader, entity_df=entity_df, features=["balance"])

    def test_the_hour_that_comes_twice_when_clocks_are_set_back(self, reader: Client) -> None:
        group = make_group("clocks")
        make_feature(group, "tick", "integer")
        # On 26 October 2025 clocks in Berlin go from 03:00 summer time back to 02:00.
        first = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
        second = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
        put_history(group, [{"key": "1", "event": first, "tick_v1": 1}, {"key": "1", "event": second, "tick_v1": 2}])
        texts = ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00", "2025-10-26T02:29:59.999999+01:00"]
        entity_df = [{"entity_id": 1, "event_timestamp": text} for text in texts]
        assert values(reader, entity_df=entity_df, features=["tick"]) == [(1,), (2,), (1,)]

    def test_the_hour_that_is_left_out_when_clocks_are_set_forward(self, reader: Client) -> None:
        group = make_group("clocks")
        make_feature(group, "tick", "integer")
        put_history(group, [{"key": "1", "event": datetime(2025, 3, 30, 1, tzinfo=UTC), "tick_v1": 1}])
        # 01:59:59.999999 is followed by 03:00.
        texts = ["2025-03-30T01:59:59.999999+01:00", "2025-03-30T03:00:00+02:00"]
        entity_df = [{"entity_id": 1, "event_timestamp": text} for text in texts]
        assert values(reader, entity_df=entity_df, features=["tick"]) == [(None,), (1,)]

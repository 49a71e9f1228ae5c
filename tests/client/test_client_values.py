"""The online calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

import feature_store_client as sdk
from feature_store_client import FeatureStoreClient, FeatureValue, FeatureVector
from tests.client.scripted_server import Answer, ScriptedServer, error

BIG = 2**62 + 1
VALUE = {
    "entity_id": "15634602",
    "feature": "balance_mean",
    "feature_id": "customer_balance_mean_v1",
    "version": "1.0",
    "value": 161993.89,
    "status": "PRESENT",
    "event_timestamp": "2025-03-01T00:00:00Z",
    "created_timestamp": None,
}
METADATA = {
    "feature_id": "customer_a_v1",
    "version": "1.0",
    "status": "PRESENT",
    "event_timestamp": "2025-03-01T12:00:00.000001+00:00",
}


def test_one_value(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, VALUE))
    assert client.get_feature("balance_mean", entity_id="15634602") == FeatureValue(
        entity_id="15634602",
        feature="balance_mean",
        feature_id="customer_balance_mean_v1",
        version="1.0",
        value=161993.89,
        status="PRESENT",
        event_timestamp=datetime(2025, 3, 1, tzinfo=UTC),
        created_timestamp=None,
    )
    assert (server.asked[0].method, server.asked[0].raw_path) == (
        "GET",
        "/api/v1/features/balance_mean/entity/15634602",
    )


def test_the_entity_id_comes_back_as_it_was_given(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, VALUE))
    assert client.get_feature("balance_mean", 15634602, version="1").entity_id == 15634602
    assert server.asked[0].query == {"version": ["1"]}


def test_names_and_ids_are_quoted(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, VALUE))
    client.get_feature("customer_financial:balance_mean@1.0", "007 é?#%|")
    assert server.asked[0].raw_path == (
        "/api/v1/features/customer_financial%3Abalance_mean%401.0/entity/007%20%C3%A9%3F%23%25%7C"
    )


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        ({"entity_id": "a/b"}, {"entity_id": "a/b"}),
        ({"entity_id": ".."}, {"entity_id": ".."}),
        ({"customer_id": 7, "region": "é"}, {"customer_id": 7, "region": "é"}),
    ],
)
def test_what_a_path_cannot_carry_goes_by_the_batch_call(
    client: FeatureStoreClient, server: ScriptedServer, call: dict[str, Any], sent: dict[str, Any]
) -> None:
    server.script(Answer(200, {"features": {"a@1": 5}, "metadata": {"a@1": METADATA}}))
    value = client.get_feature("a", version=1, **call)
    assert server.asked[0].raw_path == "/api/v1/features/batch"
    assert server.asked[0].json == {**sent, "features": ["a@1"], "include_metadata": True}
    assert (value.feature, value.feature_id, value.value) == ("a", "customer_a_v1", 5)
    assert value.entity_id == call.get("entity_id", call)


def test_an_unknown_entity_is_the_same_error_on_both_ways(client: FeatureStoreClient, server: ScriptedServer) -> None:
    missing = {**METADATA, "status": "NOT_FOUND", "event_timestamp": None}
    server.script(error(404, "unknown_entity"), Answer(200, {"features": {"a": None}, "metadata": {"a": missing}}))
    with pytest.raises(sdk.EntityNotFoundError):
        client.get_feature("a", "1")
    with pytest.raises(sdk.EntityNotFoundError):
        client.get_feature("a", customer_id="1")


def test_a_vector_is_a_mapping(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, {"entity_id": 7, "features": {"a": BIG, "b": None}, "metadata": {"a": METADATA}}))
    vector = client.get_features(entity_id=7, feature_names=["a", "b"], include_metadata=True)
    assert server.asked[0].json == {"entity_id": 7, "features": ["a", "b"], "include_metadata": True}
    assert vector.entity_id == 7
    assert vector["a"] == BIG
    assert dict(vector) == vector.to_dict() == vector.features == {"a": BIG, "b": None}
    assert vector.metadata["a"].status == sdk.FeatureStatus.PRESENT
    assert vector.metadata["a"].event_timestamp == datetime(2025, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
    with pytest.raises(KeyError, match="there are a, b"):
        vector["c"]
    assert "c" not in vector
    assert vector.get("c") is None


def test_several_entities_give_a_list_in_order(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, {"results": [{"entity_id": i, "features": {"a": i}} for i in (3, "3", BIG)]}))
    vectors = client.get_features(entity_ids=[np.int64(3), "3", BIG], service="churn")
    assert server.asked[0].json == {"entity_ids": [3, "3", BIG], "service": "churn", "include_metadata": False}
    assert vectors == [FeatureVector(entity_id=i, features={"a": i}) for i in (3, "3", BIG)]
    assert [type(vector.entity_id) for vector in vectors] == [int, str, int]


def test_entities_by_join_keys(client: FeatureStoreClient, server: ScriptedServer) -> None:
    entities = [{"customer_id": 1, "region": "n"}, {"customer_id": 2, "region": "s"}]
    server.script(Answer(200, {"results": [{"features": {"a": 1}}, {"features": {"a": 2}}]}))
    vectors = client.get_features(entities=entities, feature_names="a")
    assert server.asked[0].json == {"entities": entities, "features": ["a"], "include_metadata": False}
    assert [vector.entity_id for vector in vectors] == entities


def test_no_entities_need_no_request(client: FeatureStoreClient, server: ScriptedServer) -> None:
    assert client.get_features(entity_ids=[], feature_names=["a"]) == []
    assert server.asked == []


def test_a_missing_result_is_noticed(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, {"results": []}))
    with pytest.raises(sdk.UnexpectedResponseError, match="2 entities were asked for, 0 came back"):
        client.get_features(entity_ids=[1, 2], feature_names=["a"])


@pytest.mark.parametrize(
    "call",
    [
        {"feature_names": ["a"]},
        {"entity_id": 1},
        {"entity_id": 1, "feature_names": []},
        {"entity_id": 1, "feature_names": ["a"], "service": "s"},
        {"entity_id": 1, "customer_id": 1, "feature_names": ["a"]},
        {"entity_id": 1, "entity_ids": [1], "feature_names": ["a"]},
        {"entity_ids": "123", "feature_names": ["a"]},
        {"entity_ids": [1], "entities": [{}], "feature_names": ["a"]},
        {"entity_id": float("nan"), "feature_names": ["a"]},
        {"entity_id": pd.NaT, "feature_names": ["a"]},
        {"entity_id": object(), "feature_names": ["a"]},
    ],
)
def test_calls_that_make_no_sense_are_not_sent(
    client: FeatureStoreClient, server: ScriptedServer, call: dict[str, Any]
) -> None:
    with pytest.raises(sdk.InvalidRequestError):
        client.get_features(**call)
    assert server.asked == []


def test_an_answer_of_another_shape_names_the_field(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, {"entity_id": "1"}), Answer(200, {**VALUE, "event_timestamp": "yesterday"}))
    with pytest.raises(sdk.UnexpectedResponseError, match="no 'feature'"):
        client.get_feature("a", "1")
    with pytest.raises(sdk.UnexpectedResponseError, match="'event_timestamp' of the answer is 'yesterday'"):
        client.get_feature("a", "1")

"""The latest values of many entities as a frame."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import feature_store_client as sdk
from feature_store_client import FeatureStoreClient
from feature_store_client.frames import ARROW_STREAM_TYPE, table_to_stream
from tests.client.scripted_server import Answer, ScriptedServer, error

BIG = 2**62 + 1


def arrow(columns: dict[str, Any]) -> Answer:
    return Answer(200, table_to_stream(pa.table(columns)), content_type=ARROW_STREAM_TYPE)


def test_a_column_per_feature_with_its_type(client: FeatureStoreClient, server: ScriptedServer) -> None:
    seen = datetime(2025, 3, 1, tzinfo=UTC)
    server.script(
        arrow(
            {
                "entity_id": [2, 1],
                "n": pa.array([BIG, None], pa.int64()),
                "x": pa.array([1.5, None], pa.float64()),
                "s": pa.array(["a", None], pa.string()),
                "b": pa.array([True, None], pa.bool_()),
                "t": pa.array([seen, None], pa.timestamp("us", tz="UTC")),
                "v": pa.array([[1.0, 2.0], None], pa.list_(pa.float64())),
            }
        )
    )

    frame = client.get_features_frame([2, 1], feature_names=list("nxsbtv"))

    asked = server.asked[0]
    assert (asked.method, asked.raw_path) == ("POST", "/api/v1/features/batch")
    assert asked.headers["Accept"] == ARROW_STREAM_TYPE
    assert asked.json == {"entity_ids": [2, 1], "features": list("nxsbtv"), "include_metadata": False}
    assert list(frame.columns) == ["entity_id", *"nxsbtv"]
    assert frame["entity_id"].tolist() == [2, 1]
    assert [str(frame[name].dtype) for name in "nbx"] == ["Int64", "boolean", "float64"]
    assert (frame["n"].iloc[0], frame["t"].iloc[0], list(frame["v"].iloc[0])) == (BIG, pd.Timestamp(seen), [1.0, 2.0])
    assert frame.drop(columns="entity_id").iloc[1].isna().all()


def test_a_frame_keeps_its_index_its_columns_and_their_types(
    client: FeatureStoreClient, server: ScriptedServer
) -> None:
    mine = pd.DataFrame(
        {"segment": pd.Categorical(["a", "b"]), "entity_id": pd.array([7, 8], "Int32")}, index=["p", "q"]
    )
    server.script(arrow({"entity_id": [7, 8], "x": [1.0, 2.0]}))

    frame = client.get_features_frame(entities=mine, feature_names="x")

    assert server.asked[0].json == {"entity_ids": [7, 8], "features": ["x"], "include_metadata": False}
    pd.testing.assert_frame_equal(frame, mine.assign(x=[1.0, 2.0]))
    assert list(mine.columns) == ["segment", "entity_id"]


def test_a_series_of_ids_keeps_its_index(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(arrow({"entity_id": ["007", "8"], "x": [1.0, 2.0]}))
    ids = pd.Series(["007", "8"], index=[4, 9], name="customer")
    frame = client.get_features_frame(ids, feature_names="x")
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"entity_id": ids, "x": [1.0, 2.0]}))


@pytest.mark.parametrize("table", [list, pd.DataFrame, pa.Table.from_pylist])
def test_entities_by_join_keys_have_them_as_columns(
    client: FeatureStoreClient, server: ScriptedServer, table: Any
) -> None:
    entities = [{"customer_id": 1, "region": "n"}, {"customer_id": 2, "region": "s"}]
    server.script(arrow({"customer_id": [1, 2], "region": ["n", "s"], "a": [1.0, 2.0]}))
    frame = client.get_features_frame(entities=table(entities), service="churn")
    assert server.asked[0].json == {"entities": entities, "service": "churn", "include_metadata": False}
    assert frame.to_dict("records") == [{**entities[0], "a": 1.0}, {**entities[1], "a": 2.0}]


def test_one_join_key_comes_back_by_its_name(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(arrow({"entity_id": [1], "a": [1.0]}))
    frame = client.get_features_frame(entities=[{"customer_id": 1}], feature_names="a")
    assert frame.to_dict("records") == [{"customer_id": 1, "a": 1.0}]


def test_statuses_when_asked_for(client: FeatureStoreClient, server: ScriptedServer) -> None:
    stamps = pa.array([None], pa.timestamp("us", tz="UTC"))
    server.script(arrow({"entity_id": [1], "a": [1.0], "a__status": ["PRESENT"], "a__event_timestamp": stamps}))
    frame = client.get_features_frame([1], feature_names="a", include_metadata=True)
    assert server.asked[0].json == {"entity_ids": [1], "features": ["a"], "include_metadata": True}
    assert list(frame.columns) == ["entity_id", "a", "a__status", "a__event_timestamp"]
    assert frame["a__status"].tolist() == [sdk.FeatureStatus.PRESENT]


@pytest.mark.parametrize(
    ("count", "chosen", "width", "parts"),
    [
        (25_000, {"feature_names": ["a", "b"]}, 2, [10_000, 10_000, 5_000]),
        (3_000, {"feature_names": [f"f{number}" for number in range(400)]}, 400, [2_500, 500]),
        # How many features a service has is known from its first answer.
        (12_000, {"service": "churn"}, 2, [1_000, 10_000, 1_000]),
    ],
)
def test_many_entities_are_asked_for_in_parts(
    client: FeatureStoreClient,
    server: ScriptedServer,
    count: int,
    chosen: dict[str, Any],
    width: int,
    parts: list[int],
) -> None:
    ids = list(range(count))
    starts = [sum(parts[:number]) for number in range(len(parts))]
    some = [ids[start : start + part] for start, part in zip(starts, parts, strict=True)]
    server.script(*(arrow({"entity_id": part} | {f"c{n}": [one * 10 for one in part] for n in range(width)})
                    for part in some))  # fmt: skip

    frame = client.get_features_frame(ids, include_metadata=False, **chosen)

    assert [asked.json["entity_ids"] for asked in server.asked] == some
    assert frame["entity_id"].tolist() == ids
    assert frame["c0"].tolist() == [one * 10 for one in ids]
    assert frame.index.equals(pd.RangeIndex(count))


def test_a_part_that_lacks_rows_is_noticed(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(arrow({"entity_id": [1], "a": [1.0]}))
    with pytest.raises(sdk.UnexpectedResponseError, match="2 entities were asked for, 1 came back"):
        client.get_features_frame([1, 2], feature_names="a")


def test_another_type_in_a_later_part_is_noticed(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(
        arrow({"entity_id": list(range(10_000)), "a": [1.0] * 10_000}), arrow({"entity_id": [10_000], "a": ["x"]})
    )
    with pytest.raises(sdk.UnexpectedResponseError, match="changed its type between two answers"):
        client.get_features_frame(range(10_001), feature_names="a")


def test_json_instead_of_a_table_is_noticed(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(Answer(200, {"results": []}))
    with pytest.raises(sdk.UnexpectedResponseError, match="JSON where an Arrow stream was expected"):
        client.get_features_frame([1], feature_names="a")


def test_errors_are_those_of_the_server(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(error(404, "unknown_feature", "no feature b"))
    with pytest.raises(sdk.FeatureNotFoundError, match="no feature b"):
        client.get_features_frame([1], feature_names="b")


def test_no_entities_need_no_request(client: FeatureStoreClient, server: ScriptedServer) -> None:
    frame = client.get_features_frame([], feature_names=["a"])
    assert (list(frame.columns), len(frame), server.asked) == (["entity_id", "a"], 0, [])


def test_a_column_with_the_name_of_a_feature_is_refused(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(arrow({"entity_id": [1], "a": [1.0]}))
    with pytest.raises(sdk.InvalidRequestError, match="entities already has columns named a; rename or drop them"):
        client.get_features_frame(entities=pd.DataFrame({"entity_id": [1], "a": [0]}), feature_names="a")


@pytest.mark.parametrize(
    "call",
    [
        {"feature_names": ["a"]},
        {"entity_ids": [1]},
        {"entity_ids": [1], "feature_names": ["a"], "service": "s"},
        {"entity_ids": [1], "entities": [{}], "feature_names": ["a"]},
        {"entity_ids": [1], "entities": pd.DataFrame({"entity_id": [1]}), "feature_names": ["a"]},
        {"entity_ids": "123", "feature_names": ["a"]},
        {"entities": pd.DataFrame({"entity_id": pd.array([1, None], "Int64")}), "feature_names": ["a"]},
    ],
)
def test_calls_that_make_no_sense_are_not_sent(
    client: FeatureStoreClient, server: ScriptedServer, call: dict[str, Any]
) -> None:
    with pytest.raises(sdk.InvalidRequestError):
        client.get_features_frame(**call)
    assert server.asked == []

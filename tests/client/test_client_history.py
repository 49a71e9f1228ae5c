"""Historical retrieval: pandas in, Arrow on the wire, pandas out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import feature_store_client as sdk
from feature_store_client import FeatureStoreClient, TimestampRange
from feature_store_client.frames import ARROW_STREAM_TYPE, stream_to_table, table_to_stream
from tests.client.scripted_server import Answer, ScriptedServer, error

BIG = 2**62 + 1


def arrow(table: pa.Table) -> Answer:
    return Answer(200, table_to_stream(table), content_type=ARROW_STREAM_TYPE)


def sent(server: ScriptedServer) -> pa.Table:
    return stream_to_table(server.asked[-1].body)


def answering(server: ScriptedServer, entities: dict[str, list[Any]], **features: pa.Array[Any]) -> None:
    server.script(arrow(pa.table({**entities, **features})))


def instants(table: pa.Table, column: str = "event_timestamp") -> list[Any]:
    assert table.schema.field(column).type == pa.timestamp("us", tz="UTC")
    return table.column(column).to_pylist()


def test_the_frame_comes_back_as_it_was_with_the_features_beside_it(
    client: FeatureStoreClient, server: ScriptedServer
) -> None:
    entities = pd.DataFrame(
        {
            "label": pd.Categorical(["yes", "no", "yes"]),
            "event_timestamp": pd.to_datetime(["2025-03-01", "2025-01-01", "2025-03-01"]),
            "customer_id": [BIG, 2, BIG],
            "note": ["a", None, "c"],
        },
        index=pd.Index([7, 7, 3], name="row"),
    )
    before = entities.copy(deep=True)
    echo = {name: [None] * 3 for name in entities.columns}
    answering(
        server,
        echo,
        balance_mean=pa.array([1.5, None, 2.5]),
        visits=pa.array([BIG, None, 3]),
        active=pa.array([True, None, False]),
        seen=pa.array([datetime(2025, 1, 1, tzinfo=UTC), None, None], type=pa.timestamp("us", tz="UTC")),
    )

    frame = client.get_historical_features(
        entity_df=entities,
        features=["balance_mean", "visits", "active", "seen"],
        timestamp_range={"start": "2025-01-01", "end": "2025-12-31"},
    )

    pd.testing.assert_frame_equal(frame[list(entities.columns)], before)
    pd.testing.assert_frame_equal(entities, before)
    assert list(frame.columns) == [*before.columns, "balance_mean", "visits", "active", "seen"]
    assert frame["visits"].dtype == "Int64"
    assert frame["visits"].iloc[0] == BIG
    assert frame["active"].dtype == "boolean"
    assert str(frame["seen"].dtype) == "datetime64[us, UTC]"
    assert frame["balance_mean"].isna().tolist() == [False, True, False]


def test_what_is_asked_stands_in_the_address_and_the_rows_in_the_body(
    client: FeatureStoreClient, server: ScriptedServer
) -> None:
    entities = pd.DataFrame({"entity_id": ["007", "8"], "kind": pd.Categorical(["a", "b"])})
    answering(server, {"entity_id": ["007", "8"], "kind": ["a", "b"]}, a=pa.array([1.0, 2.0]))
    client.get_historical_features(
        entities,
        ["a", "g:b@1.0"],
        timestamp_range={"start": "2025-01-01", "end": "2025-12-31"},
        as_known_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    asked = server.asked[0]
    assert (asked.method, asked.raw_path) == ("POST", "/api/v1/features/historical")
    assert asked.query == {
        "features": ["a,g:b@1.0"],
        "start": ["2025-01-01T00:00:00+00:00"],
        "end": ["2025-12-31T23:59:59.999999+00:00"],
        "as_known_at": ["2026-01-01T00:00:00+00:00"],
    }
    assert asked.headers["Content-Type"] == asked.headers["Accept"] == ARROW_STREAM_TYPE
    assert sent(server).to_pydict() == {"entity_id": ["007", "8"], "kind": ["a", "b"]}
    assert not pa.types.is_dictionary(sent(server).schema.field("kind").type)


def test_a_service_stands_for_its_features(client: FeatureStoreClient, server: ScriptedServer) -> None:
    answering(server, {"entity_id": [1]}, a=pa.array([1.0]))
    client.get_historical_features(pd.DataFrame({"entity_id": [1]}), service="churn")
    assert server.asked[0].query == {"service": ["churn"]}


@dataclass
class Span:
    start: Any
    end: Any


BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize("shape", [lambda s, e: {"start": s, "end": e}, lambda s, e: (s, e), Span])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-01-01", "2025-12-31T23:59:59.999999"),
        (date(2025, 1, 1), date(2025, 12, 31)),
        (datetime(2025, 1, 1), pd.Timestamp("2025-12-31T23:59:59.999999999")),  # noqa: DTZ001
        (datetime(2025, 1, 1, 1, tzinfo=BERLIN), "2026-01-01T00:59:59.999999+01:00"),
        ("2025-01-01T00:00Z", pd.Timestamp("2026-01-01T00:59:59.999999", tz="Europe/Berlin")),
    ],
)
def test_ranges_in_every_form_mean_the_same(
    client: FeatureStoreClient, server: ScriptedServer, shape: Callable[..., Any], start: Any, end: Any
) -> None:
    answering(server, {"entity_id": [1]}, a=pa.array([1.0]))
    client.get_historical_features(pd.DataFrame({"entity_id": [1]}), ["a"], timestamp_range=shape(start, end))
    assert server.asked[0].query["start"] == ["2025-01-01T00:00:00+00:00"]
    assert server.asked[0].query["end"] == ["2025-12-31T23:59:59.999999+00:00"]


def test_an_end_may_be_open_and_days_are_those_of_the_zone(client: FeatureStoreClient, server: ScriptedServer) -> None:
    answering(server, {"entity_id": [1]}, a=pa.array([1.0]))
    client.get_historical_features(
        [{"entity_id": 1}],
        ["a"],
        timestamp_range=TimestampRange(end="2025-03-30"),
        timezone="Europe/Berlin",
    )
    assert server.asked[0].query == {"features": ["a"], "end": ["2025-03-30T21:59:59.999999+00:00"]}


@pytest.mark.parametrize(
    "given", [{"from": "2025-01-01"}, ("2025-01-01",), "2025-01-01", {"start": "1 May"}, {"end": 5}, {"end": pd.NaT}]
)
def test_ranges_that_are_none_are_not_sent(client: FeatureStoreClient, server: ScriptedServer, given: Any) -> None:
    with pytest.raises(sdk.InvalidRequestError):
        client.get_historical_features([{"entity_id": 1}], ["a"], timestamp_range=given)
    assert server.asked == []


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.to_datetime(["2025-07-01T12:00:00.000001"])),
        pd.Series(pd.to_datetime(["2025-07-01T12:00:00.000001999"])),
        pd.Series([datetime(2025, 7, 1, 12, 0, 0, 1)], dtype="object"),  # noqa: DTZ001
        pd.Series(["2025-07-01 12:00:00.000001"]),
        pd.Series(pd.to_datetime(["2025-07-01T12:00:00.000001"])).astype("timestamp[us][pyarrow]"),
    ],
)
def test_times_without_a_zone_are_utc_unless_another_is_named(
    client: FeatureStoreClient, server: ScriptedServer, column: pd.Series[Any]
) -> None:
    entities = pd.DataFrame({"entity_id": [1], "event_timestamp": column})
    answering(server, {"entity_id": [1], "event_timestamp": [None]}, a=pa.array([1.0]))
    noon = datetime(2025, 7, 1, 12, 0, 0, 1, tzinfo=UTC)

    client.get_historical_features(entities, ["a"])
    assert instants(sent(server)) == [noon]
    client.get_historical_features(entities, ["a"], timezone="Europe/Berlin")
    assert instants(sent(server)) == [noon - timedelta(hours=2)]
    with FeatureStoreClient(server.url, timezone="America/New_York") as elsewhere:
        frame = elsewhere.get_historical_features(entities, ["a"])
    assert instants(sent(server)) == [noon + timedelta(hours=4)]
    pd.testing.assert_series_equal(frame["event_timestamp"], entities["event_timestamp"])


def test_texts_that_say_when_they_are_stay_as_they_are(client: FeatureStoreClient, server: ScriptedServer) -> None:
    def wire(texts: list[str | None], timezone: str) -> Any:
        answering(server, {"entity_id": [1] * len(texts), "event_timestamp": texts}, a=pa.array([1.0] * len(texts)))
        entities = pa.table({"entity_id": [1] * len(texts), "event_timestamp": texts})
        client.get_historical_features(entities, ["a"], timezone=timezone)
        return sent(server).column("event_timestamp").to_pylist()

    zoned: list[str | None] = ["2025-07-01T12:00:00+02:00", None, "2025-07-01T10:00:00Z"]
    assert wire(zoned, "UTC") == wire(zoned, "Europe/Berlin") == zoned
    assert wire(["2025-07-01", *zoned], "UTC") == ["2025-07-01", *zoned]
    assert wire(["2025-07-01"], "Europe/Berlin") == [datetime(2025, 6, 30, 22, tzinfo=UTC)]
    assert wire(["2025-07-01", "2025-07-01T12:00:00"], "UTC") == [
        datetime(2025, 7, 1, tzinfo=UTC),
        datetime(2025, 7, 1, 12, tzinfo=UTC),
    ]


def test_times_with_a_zone_and_dates(client: FeatureStoreClient, server: ScriptedServer) -> None:
    answering(server, {"entity_id": [1, 2], "event_timestamp": [None, None]}, a=pa.array([1.0, 2.0]))
    zoned = pd.to_datetime(pd.Series(["2025-07-01T12:00", None])).dt.tz_localize("Asia/Kolkata")
    client.get_historical_features(pd.DataFrame({"entity_id": [1, 2], "event_timestamp": zoned}), ["a"])
    assert instants(sent(server)) == [datetime(2025, 7, 1, 6, 30, tzinfo=UTC), None]

    days: list[dict[str, Any]] = [{"entity_id": 1, "event_timestamp": date(2025, 7, 1)}, {"entity_id": 2}]
    client.get_historical_features(days, ["a"], timezone="Europe/Berlin")
    assert instants(sent(server)) == [datetime(2025, 6, 30, 22, tzinfo=UTC), None]


@pytest.mark.parametrize(
    ("entities", "words"),
    [
        (pd.DataFrame({"entity_id": pd.Series([1, "a"], dtype="object")}), "'entity_id'"),
        (pd.DataFrame({"entity_id": [1], 5: [1]}), "not 5"),
        (pd.DataFrame([[1, 2]], columns=["entity_id", "entity_id"]), "same name"),
        (pd.DataFrame(), "no columns"),
        ([], "no columns"),
        (["a"], "list of dicts"),
        (pd.DataFrame({"entity_id": [1], "event_timestamp": ["soon"]}), "'event_timestamp'"),
        (pd.DataFrame({"entity_id": [1], "event_timestamp": pd.to_datetime(["2025-03-30T02:30"])}), "in time"),
        (
            [
                {"entity_id": 1, "event_timestamp": datetime(2025, 1, 1)},  # noqa: DTZ001
                {"entity_id": 1, "event_timestamp": datetime(2025, 1, 1, tzinfo=UTC)},
            ],
            "with and without a zone",
        ),
        (
            [{"entity_id": 1, "event_timestamp": "2025-01-01"}, {"entity_id": 1, "event_timestamp": "2025-01-01T00Z"}],
            "some have none",
        ),
    ],
)
def test_frames_that_cannot_be_sent_name_the_column(
    client: FeatureStoreClient, server: ScriptedServer, entities: Any, words: str
) -> None:
    with pytest.raises(sdk.InvalidRequestError, match=words):
        client.get_historical_features(entities, ["a"], timezone="Europe/Berlin")
    assert server.asked == []


def test_a_column_with_the_name_of_a_feature_is_refused(client: FeatureStoreClient, server: ScriptedServer) -> None:
    with pytest.raises(sdk.InvalidRequestError, match="columns named a; rename"):
        client.get_historical_features(pd.DataFrame({"entity_id": [1], "a": [0]}), ["a", "b"])
    assert server.asked == []


def test_tables_and_rows_keep_large_integers_beside_nulls(client: FeatureStoreClient, server: ScriptedServer) -> None:
    rows: list[dict[str, Any]] = [{"entity_id": BIG}, {"other": "x"}]
    for given in (rows, iter(rows), pa.table({"entity_id": [BIG, None], "other": [None, "x"]})):
        answering(server, {"entity_id": [BIG, None], "other": [None, "x"]}, a=pa.array([1.0, None]))
        frame = client.get_historical_features(given, ["a"])
        assert sent(server).column("entity_id").to_pylist() == [BIG, None]
        assert frame["entity_id"].iloc[0] == BIG
        assert list(frame.columns) == ["entity_id", "other", "a"]


def test_a_frame_without_rows(client: FeatureStoreClient, server: ScriptedServer) -> None:
    empty = pd.DataFrame({"entity_id": pd.Series([], dtype="int64")})
    server.script(arrow(pa.table({"entity_id": pa.array([], pa.int64()), "a": pa.array([], pa.float64())})))
    frame = client.get_historical_features(empty, ["a"])
    assert frame.dtypes.astype(str).to_dict() == {"entity_id": "int64", "a": "float64"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (arrow(pa.table({"entity_id": [1], "a": [1.0]})), "2 entity rows were sent, 1 came back"),
        (arrow(pa.table({"a": [1.0, 2.0]})), "lacks the entity columns entity_id"),
        (
            arrow(pa.Table.from_arrays([pa.array([1, 2])] * 3, names=["entity_id", "a", "a"])),
            "same name",
        ),
        (Answer(200, b"not arrow", content_type=ARROW_STREAM_TYPE), "not a whole Arrow stream"),
        (
            Answer(
                200,
                table_to_stream(pa.table({"entity_id": [1, 2], "a": [1.0, 2.0]}))[:-90],
                content_type=ARROW_STREAM_TYPE,
            ),
            "not a whole Arrow stream",
        ),
        (Answer(200, {"columns": []}), "JSON where an Arrow stream"),
    ],
)
def test_answers_that_do_not_fit_are_noticed(
    client: FeatureStoreClient, server: ScriptedServer, answer: Answer, words: str
) -> None:
    server.script(answer)
    with pytest.raises(sdk.UnexpectedResponseError, match=words):
        client.get_historical_features(pd.DataFrame({"entity_id": [1, 2]}), ["a"])


def test_errors_come_as_json_whatever_was_asked_for(client: FeatureStoreClient, server: ScriptedServer) -> None:
    server.script(error(413, "too_large", "at most 10 rows"))
    with pytest.raises(sdk.RequestTooLargeError, match="at most 10 rows"):
        client.get_historical_features([{"entity_id": 1}], ["a"])


def test_a_key_map_stands_in_the_address_as_json(client: FeatureStoreClient, server: ScriptedServer) -> None:
    rows = {"origin": ["FRA", "é,&"], "destination": ["OSL", None]}
    answer = {"origin.delay": pa.array([1.0, 2.0]), "destination.delay": pa.array([3.0, None])}
    server.script(arrow(pa.table(rows | answer)))
    frame = client.get_historical_features(
        pd.DataFrame(rows),
        ["origin.delay", "destination.delay"],
        key_map={"origin": {"airport_id": "origin"}, "destination": {"airport_id": "destination"}},
        as_known_at="event_time",
    )
    assert server.asked[0].query == {
        "features": ["origin.delay,destination.delay"],
        "key_map": ['{"origin": {"airport_id": "origin"}, "destination": {"airport_id": "destination"}}'],
        "as_known_at": ["event_time"],
    }
    assert list(frame.columns) == ["origin", "destination", "origin.delay", "destination.delay"]
    assert frame["destination.delay"].tolist()[0] == 3.0


def test_a_column_named_as_a_feature_under_an_alias_is_refused(client: FeatureStoreClient) -> None:
    rows = pd.DataFrame({"origin": ["FRA"], "origin.delay": [1.0]})
    with pytest.raises(sdk.InvalidRequestError, match=r"origin\.delay"):
        client.get_historical_features(rows, ["origin.delay"], key_map={"origin": {"airport_id": "origin"}})

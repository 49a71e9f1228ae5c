"""Historical retrieval by the SDK against the running server: aliases, and frames that come back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from catalog.access import Role
from feature_store_client import FeatureStoreClient, InvalidRequestError
from serving.tokens import issue_token
from tests.stocked_store import make_entity, make_feature, make_group, make_user, put_history

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(live_server: Any) -> Iterator[FeatureStoreClient]:
    airports = make_group("airports", entity=make_entity("airport", ("airport_id",)))
    make_feature(airports, "delay")
    make_feature(airports, "flights", "integer")
    event = datetime(2025, 10, 26, 1, tzinfo=UTC)
    put_history(
        airports,
        [
            {"key": "FRA", "event": event, "delay_v1": 7.5, "flights_v1": 2**53 + 1},
            {"key": "O'S|L", "event": event, "delay_v1": 1.5, "flights_v1": None},
        ],
    )
    key = issue_token(user=make_user("reader", Role.VIEWER), name="sdk", scopes=["read"]).key
    with FeatureStoreClient(live_server.url, key) as connected:
        yield connected


BY_AIRPORT = {"origin": {"airport_id": "origin"}, "destination": {"airport_id": "destination"}}


def test_one_entity_twice_and_columns_of_every_kind_untouched(client: FeatureStoreClient) -> None:
    flights = pd.DataFrame(
        {
            "origin": pd.Categorical(["FRA", "O'S|L", "FRA", "nowhere"]),
            "destination": ["O'S|L", "FRA", "FRA", None],
            "event_timestamp": pd.DatetimeIndex(["2025-11-01", "2025-11-01", "2025-11-01", "NaT"], tz="Europe/Berlin"),
            "price": [Decimal("1.10"), Decimal("-3.25"), None, Decimal("0.00")],
            "legs": [[1, 2], [], None, [3]],
            "crew": [{"pilot": "é"}, {"pilot": None}, None, {"pilot": "x"}],
            "seats": pd.array([2**62 + 1, None, 3, 4], dtype="Int64"),
            "day": pd.to_datetime(["2025-01-01"] * 4),
            "ratio": np.array([0.5, np.nan, np.inf, 1.0]),
        },
        index=pd.Index([9, 9, 3, 1], name="flight"),
    )
    before = flights.copy(deep=True)

    frame = client.get_historical_features(
        flights, ["origin.delay", "destination.delay", "destination.flights"], key_map=BY_AIRPORT
    )

    pd.testing.assert_frame_equal(frame[list(before.columns)], before)
    assert frame["origin.delay"].fillna(-1).tolist() == [7.5, 1.5, 7.5, -1]
    assert frame["destination.delay"].fillna(-1).tolist() == [1.5, 7.5, 7.5, -1]
    assert frame["destination.flights"].tolist() == [pd.NA, 2**53 + 1, 2**53 + 1, pd.NA]


def test_local_times_around_a_change_of_clocks(client: FeatureStoreClient) -> None:
    """The value was true from 02:00 winter time in Berlin, which follows 03:00 summer time."""
    moments = pd.to_datetime(["2025-10-26 01:59:59", "2025-10-26 03:00:00"])
    flights = pd.DataFrame({"airport_id": ["FRA", "FRA"], "event_timestamp": moments})
    local = client.get_historical_features(flights, ["delay"], timezone="Europe/Berlin")
    assert local["delay"].fillna(-1).tolist() == [-1, 7.5]
    # As UTC, both are later.
    assert client.get_historical_features(flights, ["delay"])["delay"].tolist() == [7.5, 7.5]
    twice = pd.DataFrame({"airport_id": ["FRA"], "event_timestamp": pd.to_datetime(["2025-10-26 02:30:00"])})
    with pytest.raises(InvalidRequestError, match="cannot be placed in time"):
        client.get_historical_features(twice, ["delay"], timezone="Europe/Berlin")


def test_a_key_map_that_names_nothing_is_told(client: FeatureStoreClient) -> None:
    with pytest.raises(InvalidRequestError, match="for which no feature is asked"):
        client.get_historical_features([{"origin": "FRA"}], ["delay"], key_map={"origin": {"airport_id": "origin"}})


def test_many_rows_come_back_in_their_order(client: FeatureStoreClient) -> None:
    count = 200_000
    rows = pd.DataFrame({"airport_id": np.where(np.arange(count) % 3 == 0, "FRA", "x"), "row": np.arange(count)})
    frame = client.get_historical_features(rows, ["delay"], timeout=120)
    assert frame["row"].tolist() == list(range(count))
    assert frame["delay"].notna().tolist() == [number % 3 == 0 for number in range(count)]

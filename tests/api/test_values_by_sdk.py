"""The SDK's three reading calls against the running server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from catalog.access import Role
from feature_store_client import EntityNotFoundError, FeatureNotFoundError, FeatureStoreClient
from serving.tokens import issue_token
from tests.stocked_store import make_entity, make_feature, make_group, make_user, put_history, put_online

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(live_server: Any) -> Iterator[FeatureStoreClient]:
    group = make_group()
    make_feature(group, "balance_mean")
    make_feature(group, "visits", "integer")
    accounts = make_group("accounts", entity=make_entity("account", ("bank", "number")))
    make_feature(accounts, "limit")
    put_online(group, "15634602", {"balance_mean_v1": 161993.89, "visits_v1": 2**53 + 1})
    put_online(group, "a/b", {"balance_mean_v1": 2.0})
    put_online(accounts, "A|7", {"limit_v1": 900.0})
    event = datetime(2025, 1, 1, tzinfo=UTC)
    put_history(group, [{"key": "15634602", "event": event, "balance_mean_v1": 161993.89, "visits_v1": 2**53 + 1}])
    key = issue_token(user=make_user("reader", Role.VIEWER), name="sdk", scopes=["read"]).key
    with FeatureStoreClient(live_server.url, key) as connected:
        yield connected


def test_reading_by_sdk(client: FeatureStoreClient) -> None:
    found = client.get_feature("balance_mean", entity_id="15634602")
    assert (found.value, found.status, found.version) == (161993.89, "PRESENT", "1.0")
    assert client.get_feature("balance_mean", entity_id="a/b").value == 2.0
    assert client.get_feature("limit", bank="A", number=7).value == 900.0
    with pytest.raises(EntityNotFoundError):
        client.get_feature("balance_mean", entity_id="404")
    with pytest.raises(FeatureNotFoundError, match="balance_mean"):
        client.get_feature("balance_men", entity_id="1")
    vector = client.get_features(entity_id=15634602, feature_names=["balance_mean", "visits"])
    assert vector.to_dict() == {"balance_mean": 161993.89, "visits": 2**53 + 1}
    several = client.get_features(entity_ids=[15634602, 1], feature_names=["visits"])
    assert [one["visits"] for one in several] == [2**53 + 1, None]
    visits = client.get_features_frame(["a/b", 15634602], feature_names="visits", include_metadata=True)
    assert visits.drop(columns="visits__event_timestamp").to_dict("records") == [
        {"entity_id": "a/b", "visits": None, "visits__status": "NULL_VALUE"},
        {"entity_id": 15634602, "visits": 2**53 + 1, "visits__status": "PRESENT"},
    ]
    accounts = pd.DataFrame({"bank": ["A", "B"], "number": [7, 7]}, index=[3, 1])
    limits = client.get_features_frame(entities=accounts, feature_names="limit")
    pd.testing.assert_frame_equal(limits, accounts.assign(limit=[900.0, float("nan")]))
    by_name = client.get_features_frame(entities=[{"customer_id": 15634602}], feature_names=["visits"])
    assert by_name.to_dict("records") == [{"customer_id": 15634602, "visits": 2**53 + 1}]
    many = pd.Series([15634602, *range(11_000)], index=range(5, 11_006))
    some = client.get_features_frame(many, feature_names=["visits", "balance_mean"])
    assert (some.index.equals(many.index), some["entity_id"].equals(many)) == (True, True)
    assert (some["visits"].notna().sum(), some["balance_mean"].iloc[0]) == (1, 161993.89)
    entity_df = pd.DataFrame(
        {"entity_id": [15634602, 1], "event_timestamp": pd.to_datetime(["2025-01-01", "2025-02-01"])}, index=[7, 9]
    )
    frame = client.get_historical_features(
        entity_df=entity_df,
        features=["balance_mean", "visits"],
        timestamp_range={"start": "2025-01-01", "end": "2025-12-31"},
    )
    assert list(frame.index) == [7, 9]
    assert frame["visits"].tolist() == [2**53 + 1, pd.NA]
    assert frame["balance_mean"].isna().tolist() == [False, True]

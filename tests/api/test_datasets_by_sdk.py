"""Training datasets by the SDK against the running server, and the snippet that makes one again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from catalog.access import Role
from catalog.clock import now
from catalog.models import FeatureGroup, FeatureVersion
from feature_store_client import FeatureStoreClient, RunFailedError, RunTimeoutError, TrainingDataset
from feature_store_client.errors import ConflictError, FeatureNotFoundError
from serving.datasets.building import build_dataset
from serving.models import TrainingDataset as StoredDataset
from serving.tokens import issue_token
from tests.datasets_made import add, day, stocked_group
from tests.stocked_store import make_feature, make_service, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FeatureStoreClient]:
    """A client whose server builds at once what it is asked for."""
    monkeypatch.setattr("serving.api.datasets.wake_builder", build_dataset)
    stocked_group()
    key = issue_token(user=make_user("sara", Role.DATA_SCIENTIST), name="sdk", scopes=["read", "write"]).key
    monkeypatch.setenv("FEATURESTORE_TOKEN", key)
    with FeatureStoreClient(live_server.url, key) as connected:
        yield connected


def entity_df() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [1, 2, 1, 3],
            "event_timestamp": pd.to_datetime(["2025-01-03", "2025-01-09", "2025-01-09", "2025-01-09"]),
            "churned": [True, False, None, True],
        }
    )


def test_made_downloaded_split_and_verified(client: FeatureStoreClient) -> None:
    dataset = client.create_training_dataset(
        "churn training", entity_df(), features=["balance", "visits"], description="for the model", wait=True
    )

    assert dataset.succeeded
    assert (dataset.row_count, dataset.details["description"]) == (4, "for the model")
    frame = client.download_dataset(dataset)
    assert frame["balance"].tolist()[:3] == [10.0, 20.0, 50.0]
    assert np.isnan(frame["balance"][3])
    assert frame["visits"].tolist() == [1, pd.NA, 5, pd.NA]
    table = client.download_dataset(dataset, as_table=True)
    assert table.schema.field("visits").type == pa.int64()
    assert table.column("visits").to_pylist() == [1, None, 5, None]
    train, test = (client.download_dataset(dataset.id, split=name, seed=1) for name in ("train", "test"))
    assert len(train) + len(test) == 4
    halves = client.download_dataset(dataset, fractions={"a": 0.5, "b": 0.5}, by="row", seed=2)
    assert set(halves["split"]) <= {"a", "b"}
    verified = client.verify_dataset(dataset)
    assert verified
    assert (verified.differing_cells, verified.differences, verified.reasons) == (0, (), ())
    assert [one.id for one in client.list_datasets(state="succeeded")] == [dataset.id]
    client.archive_dataset(dataset)
    assert client.list_datasets() == []
    with pytest.raises(ConflictError, match="archived"):
        client.download_dataset(dataset)


def test_the_snippet_makes_it_again(client: FeatureStoreClient) -> None:
    dataset = client.create_training_dataset("churn training", entity_df(), features=["balance", "visits@1"], wait=True)
    from_store = StoredDataset.objects.get()
    add(FeatureGroup.objects.get(), "1", 4, balance=-4.0)
    scope: dict[str, Any] = {}

    exec(dataset.details["snippet"], scope)

    again = StoredDataset.objects.exclude(pk=from_store.pk).get()
    assert again.spec["tables"] == from_store.spec["tables"]
    assert again.entity_rows_hash == from_store.entity_rows_hash
    scope["client"].close()


def test_the_snippet_notices_a_difference(client: FeatureStoreClient) -> None:
    dataset = client.create_training_dataset("churn training", entity_df(), features=["balance"], wait=True)
    scope: dict[str, Any] = {}
    other = dataset.details["snippet"].replace('{"finance": 3}', '{"finance": 1}')
    assert other != dataset.details["snippet"]
    with pytest.raises(AssertionError, match="balance"):
        exec(other, scope)
    scope["client"].close()


def by_json(client: FeatureStoreClient, **body: Any) -> TrainingDataset:
    """A dataset asked for by REST, with rows and times as JSON has them."""
    answer = client._transport.post_json("datasets", {"name": 'a "name" of é', **body}, idempotent=False)
    return client.wait_for_dataset(answer["url"])


ROWS: list[dict[str, Any]] = [
    {"customer_id": 1, "event_timestamp": "2025-01-09", "label": True, "amount": 0.1, "parts": {"a": [1, None]}},
    {"customer_id": 3, "event_timestamp": "2025-01-09T02:00:00+02:00", "label": None, "amount": None, "parts": None},
]


@pytest.mark.parametrize(
    "body",
    [
        {"entity_df": ROWS, "features": ["balance", "embedding"]},
        {"entity_df": ROWS, "features": ["finance:balance"], "as_known_at": "event_time"},
        {
            "entity_df": [{"customer_id": "1"}, {"customer_id": "2"}, {"customer_id": None}],
            "features": ["balance@1"],
            "timestamp_range": {"start": "2025-01-01", "end": "2025-01-06"},
            "as_known_at": "2025-01-06",
        },
        {"entity_df": [{"customer_id": 2**53 + 1}, {"customer_id": 1}], "features": ["visits"], "at": "2025-01-02"},
        {
            "entity_df": [{"payer": 1, "payee": 2, "event_timestamp": "2025-01-09T00:00:00Z"}],
            "features": ["payer.balance", "payee.finance:balance@1.0"],
            "key_map": {"payer": {"customer_id": "payer"}, "payee": {"customer_id": "payee"}},
        },
        {"entity_df": ROWS, "service": "churn"},
    ],
    ids=["texts as times", "known at event time", "a range", "rows without a time", "aliases", "a service"],
)
def test_the_snippet_makes_again_whatever_was_made(client: FeatureStoreClient, body: dict[str, Any]) -> None:
    group = FeatureGroup.objects.get()
    make_service(
        "churn", *FeatureVersion.objects.order_by("feature__name"), make_feature(group, "embedding", "float_list")
    )
    add(group, "1", 6, balance=60.0, visits=2**53 + 1, embedding=[1.0, 2.5])
    dataset = by_json(client, **body)
    add(group, "1", 6, created=now(), balance=-4.0)
    scope: dict[str, Any] = {}

    exec(dataset.details["snippet"], scope)

    first, second = StoredDataset.objects.order_by("created_at")
    assert second.spec["tables"] == first.spec["tables"]
    assert second.entity_rows_hash == first.entity_rows_hash
    scope["client"].close()


def test_explaining_by_sdk(client: FeatureStoreClient) -> None:
    told = client.explain("balance", entity_id=1, at="2025-01-04")
    assert (told.value, told.status, told.table_version) == (10.0, "PRESENT", 3)
    assert told.winner is not None
    assert (told.winner.event_timestamp, told.winner.run_id) == (day(1), "run")
    assert [(row.value, row.rule) for row in told.beaten] == [(50.0, "future")]
    known = client.explain("balance", customer_id=1, as_known_at="2025-01-03")
    assert (known.value, [row.rule for row in known.beaten]) == (10.0, ["not_known_yet"])
    with pytest.raises(FeatureNotFoundError):
        client.explain("balanse", entity_id=1)


def test_waiting_ends(client: FeatureStoreClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.api.datasets.wake_builder", lambda _: None)
    dataset = client.create_training_dataset("never built", entity_df(), features="balance")
    assert isinstance(dataset, TrainingDataset)
    with pytest.raises(RunTimeoutError, match="still queued"):
        client.wait_for_dataset(dataset, timeout=0.05, poll_interval=0.01)
    StoredDataset.objects.update(state="failed", error="its disk was full")
    with pytest.raises(RunFailedError, match="its disk was full"):
        client.wait_for_dataset(dataset.url or "")

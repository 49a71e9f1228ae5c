"""A store with history, and training datasets made from it, for the tests of datasets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from django.contrib.auth.models import User

from catalog.models import FeatureGroup
from serving.datasets.building import build_dataset
from serving.datasets.requesting import DatasetRequest, request_dataset
from serving.models import TrainingDataset
from serving.wire.arrow_rows import ArrowRows
from tests.stocked_store import make_feature, make_group, put_history

CREATED = timedelta(hours=1)


def day(number: int) -> datetime:
    return datetime(2025, 1, number, tzinfo=UTC)


def stocked_group() -> FeatureGroup:
    """Balance and visits of two customers: 1 on days 1 and 5, 2 on day 2."""
    group = make_group()
    make_feature(group, "balance")
    make_feature(group, "visits", "integer")
    add(group, "1", 1, balance=10.0, visits=1)
    add(group, "1", 5, balance=50.0, visits=5)
    add(group, "2", 2, balance=20.0, visits=None)
    return group


def add(group: FeatureGroup, key: str, event: int, *, created: datetime | None = None, **values: Any) -> None:
    """One value row of day ``event``, one commit."""
    row = {f"{name}_v1": value for name, value in values.items()}
    put_history(group, [{"key": key, "event": day(event), "created": created or day(event) + CREATED, **row}])


def entity_rows() -> pa.Table:
    return pa.table(
        {
            "customer_id": [1, 2, 1, 3],
            "event_timestamp": pa.array([day(3), day(9), day(9), day(9)], pa.timestamp("us", "UTC")),
            "churned": [True, False, None, True],
        }
    )


def asked(user: User, **request: Any) -> TrainingDataset:
    """A training dataset that is not built yet."""
    wanted: dict[str, Any] = {
        "name": "churn training",
        "frame": ArrowRows(entity_rows()),
        "features": ["balance", "visits"],
    }
    return request_dataset(DatasetRequest(**(wanted | request)), user=user)


def made(user: User, **request: Any) -> TrainingDataset:
    """A training dataset, built."""
    dataset = build_dataset(asked(user, **request).pk)
    assert dataset.state == "succeeded", dataset.error
    return dataset

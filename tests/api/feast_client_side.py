"""What Feast's own client reads from this store, run by the interpreter of an environment with Feast.

``python feast_client_side.py FOLDER`` prints JSON: what each question was answered, or the error raised. The folder
has the ``feature_store.yaml``.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Bool, Float64, Int64, String, UnixTimestamp
from feast.value_type import ValueType

_CUSTOMER = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
_TYPES = {"balance_mean": Float64, "visits": Int64, "city": String, "active": Bool, "since": UnixTimestamp}


def without_token(folder: Path) -> FeatureStore:
    """The same, as somebody who sends no token."""
    configuration = yaml.safe_load((folder / "feature_store.yaml").read_text())
    del configuration["auth"]
    other = folder / "stranger"
    other.mkdir()
    (other / "feature_store.yaml").write_text(yaml.safe_dump(configuration))
    return FeatureStore(repo_path=other)


def view(folder: Path) -> FeatureView:
    return FeatureView(
        name="finance",
        entities=[_CUSTOMER],
        ttl=timedelta(0),
        schema=[Field(name=name, dtype=dtype) for name, dtype in _TYPES.items()],
        source=FileSource(path=str(folder / "never_read.parquet"), timestamp_field="event_timestamp"),
    )


def read_by_view(store: FeatureStore, folder: Path) -> list[dict[str, Any]]:
    """By the read of the online store itself, which types values as the view declares them."""
    keys = [EntityKey(join_keys=["customer_id"], entity_values=[Value(int64_val=number)]) for number in (1, 404)]
    rows = store._get_provider().online_read(store.config, view(folder), keys, list(_TYPES))
    return [
        {name: [value.WhichOneof("val"), getattr(value, value.WhichOneof("val") or "", None)]
         for name, value in (values or {}).items()}
        for _, values in rows
    ]  # fmt: skip


def main() -> None:
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    store = FeatureStore(repo_path=folder)
    stranger = without_token(folder)
    features = [f"finance:{name}" for name in _TYPES]
    rows = [{"customer_id": 1}, {"customer_id": 2}, {"customer_id": 404}]
    service, lost = FeatureService(name="churn", features=[]), FeatureService(name="chrn", features=[view(folder)])

    def read(asked: Any, *, by: FeatureStore = store, **options: Any) -> dict[str, Any]:
        return by.get_online_features(features=asked, entity_rows=rows, **options).to_dict()

    questions: dict[str, Callable[[], object]] = {
        "features": lambda: read(features),
        "full names": lambda: read(features[:2], full_feature_names=True),
        "service": lambda: read(service),
        "by view": lambda: read_by_view(store, folder),
        "unknown view": lambda: read(["finances:visits"]),
        "unknown feature": lambda: read(["finance:visit"]),
        "unknown service": lambda: read(lost),
        "twice": lambda: read(["finance:visits", "finance:visits"]),
        "no token": lambda: stranger.get_online_features(features=features, entity_rows=rows),
        "push": lambda: store._get_provider().online_write_batch(store.config, view(folder), [], None),
    }
    print(json.dumps({name: _told(question) for name, question in questions.items()}))


def _told(question: Callable[[], object]) -> object:
    try:
        return question()
    except Exception as error:  # noqa: BLE001  (whatever it is, the test compares it)
        return [type(error).__name__, str(error)]


if __name__ == "__main__":
    main()

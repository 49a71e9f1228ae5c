"""Feast on the flat files, run by the interpreter of an environment of its own (it cannot share pandas 3).

``--option`` is its offline store: ``duckdb``, or ``file``, its default.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Float64
from feast.value_type import ValueType

from benchmarks.history_data import group_name
from benchmarks.measured import asked_work, measure

PROJECT = "benchmark"


def feature_store(folder: Path, groups: Iterable[int], *, offline_store: str) -> FeatureStore:
    """A Feast repository over the flat files, without a max age."""
    repository = folder / f"feast_{offline_store}"
    repository.mkdir(exist_ok=True)
    store = FeatureStore(
        config=RepoConfig(
            project=PROJECT,
            provider="local",
            registry=str(repository / "registry.db"),
            online_store={"type": "sqlite", "path": str(repository / "online.db")},
            offline_store={"type": offline_store},
            entity_key_serialization_version=3,
            repo_path=repository,
        )
    )
    customer = Entity(name="customer", join_keys=["entity_id"], value_type=ValueType.INT64)
    views = [
        FeatureView(
            name=group_name(group),
            entities=[customer],
            ttl=timedelta(0),
            schema=[Field(name=name, dtype=Float64) for name in _features(folder, group)],
            source=FileSource(
                path=str(folder / f"{group_name(group)}.parquet"),
                timestamp_field="event_timestamp",
                created_timestamp_column="created_timestamp",
            ),
        )
        for group in groups
    ]
    store.apply([customer, *views])
    return store


def _features(folder: Path, group: int) -> list[str]:
    names = pq.read_schema(folder / f"{group_name(group)}.parquet").names
    return [name for name in names if name not in ("entity_id", "event_timestamp", "created_timestamp")]


def main() -> None:
    os.environ["FEAST_USAGE"] = "False"
    warnings.simplefilter("ignore")
    work = asked_work()
    entities: pd.DataFrame = pq.read_table(work.entities_file).to_pandas()
    store = feature_store(work.folder, work.groups, offline_store=work.option)
    references = [f"{group_name(group)}:{name}" for group, names in work.groups.items() for name in names]
    measure(
        work,
        lambda: store.get_historical_features(entity_df=entities, features=references).to_arrow(),
        packages=("feast", "duckdb", "dask", "pandas", "pyarrow"),
    )


if __name__ == "__main__":
    main()

"""The calls about training datasets: ask for one, follow it, download it, verify it."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feature_store_client import frames, reading
from feature_store_client.connected import Connected
from feature_store_client.dataset_results import DatasetVerification, TrainingDataset
from feature_store_client.errors import InvalidRequestError, RunTimeoutError, UnexpectedResponseError
from feature_store_client.http import JSON_TYPE, encode_json, json_object
from feature_store_client.instants import (
    Instant,
    RangeLike,
    instant_on_the_wire,
    range_on_the_wire,
    zone_named,
)
from feature_store_client.requesting import one_or_many, path_segment, selection

PARQUET_TYPE = "application/vnd.apache.parquet"
_LONGEST_PAUSE = 5.0

DatasetLike = TrainingDataset | str


class DatasetCalls(Connected):
    """Training datasets: stored results of historical retrievals, with everything pinned."""

    def create_training_dataset(
        self,
        name: str,
        entity_df: frames.EntityRows,
        features: str | Sequence[str] | None = None,
        *,
        service: str | None = None,
        description: str = "",
        timestamp_range: RangeLike | None = None,
        as_known_at: Instant | Literal["event_time"] | None = None,
        at: Instant | None = None,
        table_versions: Mapping[str, int] | None = None,
        key_map: Mapping[str, Mapping[str, str]] | None = None,
        timezone: str | None = None,
        wait: bool = False,
        timeout: float = 600.0,
    ) -> TrainingDataset:
        """Ask for a training dataset; the server pins everything at once and builds it in the background.

        Entity rows, features and times are those of ``get_historical_features``. Without ``as_known_at`` what the
        store knows now counts; ``at`` is the time of rows without one. ``table_versions`` names by feature group an
        earlier version of its history, ``key_map`` by entity or alias the column of each join key. With ``wait``
        the dataset is followed for at most ``timeout`` seconds.

        :raises RunTimeoutError: when it was waited for and is not finished in time.
        :raises RunFailedError: when it was waited for and could not be built.
        """
        zone = self._zone if timezone is None else zone_named(timezone)
        params: dict[str, str] = {"name": name} | {
            key: value if isinstance(value, str) else ",".join(value)
            for key, value in selection(features=features, service=service).items()
        }
        if description:
            params["description"] = description
        if timestamp_range is not None:
            params |= range_on_the_wire(timestamp_range, zone=zone)
        if as_known_at == "event_time":
            params["as_known_at"] = "event_time"
        elif as_known_at is not None:
            params["as_known_at"] = instant_on_the_wire(as_known_at, zone=zone, name="as_known_at", as_end=True)
        if at is not None:
            params["at"] = instant_on_the_wire(at, zone=zone, name="at", as_end=True)
        if table_versions:
            params["table_versions"] = ",".join(f"{group}:{version}" for group, version in table_versions.items())
        if key_map:
            params["key_map"] = encode_json(key_map).decode()
        rows = frames.tabular(entity_df)
        frames.refuse_columns_named(one_or_many(features), rows=rows)
        response = self._transport.send(
            "POST",
            "datasets",
            params=params,
            body=frames.table_to_stream(frames.entity_table(rows, zone=zone)),
            content_type=frames.ARROW_STREAM_TYPE,
            accept=JSON_TYPE,
            idempotent=False,
        )
        dataset = TrainingDataset.from_json(json_object(response))
        return self.wait_for_dataset(dataset, timeout=timeout) if wait else dataset

    def list_datasets(self, **filters: str) -> list[TrainingDataset]:
        """The newest training datasets, at most 500; filters are those of the REST call (``q``, ``state``,
        ``created_by``, ``archived``)."""
        answer = self._transport.get_json("datasets", params={**filters, "page_size": "500"})
        return [TrainingDataset.from_json(entry) for entry in reading.objects(answer, "results")]

    def get_dataset(self, dataset: DatasetLike) -> TrainingDataset:
        """The present state of a training dataset, with everything that is pinned in ``details``."""
        return TrainingDataset.from_json(self._transport.get_json(f"datasets/{_segment(dataset)}"))

    def wait_for_dataset(
        self, dataset: DatasetLike, *, timeout: float = 600.0, poll_interval: float = 0.5
    ) -> TrainingDataset:
        """Ask for a dataset until it is built, at growing intervals of at most five seconds.

        :raises RunTimeoutError: after ``timeout`` seconds; the server goes on building.
        :raises RunFailedError: when it could not be built.
        """
        deadline = time.monotonic() + timeout
        pause = poll_interval
        while True:
            present = self.get_dataset(dataset)
            if present.finished:
                present.raise_if_failed()
                return present
            left = deadline - time.monotonic()
            if left <= 0:
                raise RunTimeoutError(
                    f"training dataset {present.name} ({present.id}) is still {present.state} after {timeout:g} s",
                    details=present.details,
                )
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    @overload
    def download_dataset(
        self,
        dataset: DatasetLike,
        *,
        split: str | None = None,
        fractions: Mapping[str, float] | None = None,
        seed: int | None = None,
        by: Literal["entity", "row"] | None = None,
        as_table: Literal[False] = False,
        timeout: float | None = None,
    ) -> pd.DataFrame: ...

    @overload
    def download_dataset(
        self,
        dataset: DatasetLike,
        *,
        split: str | None = None,
        fractions: Mapping[str, float] | None = None,
        seed: int | None = None,
        by: Literal["entity", "row"] | None = None,
        as_table: Literal[True],
        timeout: float | None = None,
    ) -> pa.Table: ...

    def download_dataset(
        self,
        dataset: DatasetLike,
        *,
        split: str | None = None,
        fractions: Mapping[str, float] | None = None,
        seed: int | None = None,
        by: Literal["entity", "row"] | None = None,
        as_table: bool = False,
        timeout: float | None = None,
    ) -> pd.DataFrame | pa.Table:
        """The dataset as a frame: integers as Int64, booleans as boolean, timestamps in UTC; ``as_table`` gives it as
        an Arrow table, whose columns have exactly the types of the dataset.

        With ``split`` only the rows of that part, by default ``train`` (0.8) and ``test`` (0.2); with ``fractions``,
        ``seed`` or ``by`` alone all rows, with a column ``split``. The same arguments give the same parts, always,
        and all rows of an entity lie in one part unless they are split ``by="row"``.
        """
        given = {
            "split": split,
            "fractions": ",".join(f"{name}:{_plain(share)}" for name, share in (fractions or {}).items()) or None,
            "seed": None if seed is None else str(seed),
            "by": by,
        }
        response = self._transport.send(
            "GET",
            f"datasets/{_segment(dataset)}/download",
            params={name: value for name, value in given.items() if value is not None},
            accept=PARQUET_TYPE,
            idempotent=True,
            timeout=timeout,
        )
        try:
            table = pq.read_table(io.BytesIO(response.content))
        except (pa.ArrowException, OSError) as error:
            raise UnexpectedResponseError(f"the answer is not a whole Parquet file: {error}") from error
        return table if as_table else frames.table_to_frame(table)

    def verify_dataset(self, dataset: DatasetLike, *, timeout: float | None = None) -> DatasetVerification:
        """Have the server make the dataset again from what is pinned and compare every cell."""
        response = self._transport.send(
            "POST",
            f"datasets/{_segment(dataset)}/verify",
            accept=JSON_TYPE,
            idempotent=True,
            timeout=timeout,
        )
        return DatasetVerification.from_json(json_object(response))

    def archive_dataset(self, dataset: DatasetLike) -> None:
        """Put the dataset away: it stays as a record and gives no values any more."""
        self._transport.send("DELETE", f"datasets/{_segment(dataset)}", accept=JSON_TYPE, idempotent=True)


def _segment(dataset: DatasetLike) -> str:
    """Only the id is taken from a URL: the call goes to the client's own server whatever host the URL names."""
    text = dataset.id if isinstance(dataset, TrainingDataset) else str(dataset)
    text = text.rstrip("/").rpartition("/datasets/")[2] if "/datasets/" in text else text
    segment = path_segment(text)
    if segment is None:
        raise InvalidRequestError(f"{dataset!r} is neither the id nor the URL of a training dataset")
    return segment


def _plain(share: Any) -> str:
    return f"{float(share):.12f}".rstrip("0").rstrip(".")

"""The product over HTTP on loopback: from a pandas frame to a pandas frame, with the SDK."""

from __future__ import annotations

import time

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measured import asked_work, measure, peak_of_process
from benchmarks.own_store import served, token_file
from benchmarks.servers import family, processor_seconds
from feature_store_client import FeatureStoreClient

_CALL_SECONDS = 600.0


def main() -> None:
    work = asked_work()
    entities: pd.DataFrame = pq.read_table(work.entities_file).to_pandas()
    token = token_file(work.folder).read_text()
    with served(work.folder) as server, FeatureStoreClient(server.address, token, timeout=_CALL_SECONDS) as client:
        # Both ends work and hold memory: the client's frames and the server's tables.
        measure(
            work,
            lambda: client.get_historical_features(entity_df=entities, features=work.features),
            as_table=pa.Table.from_pandas,
            peak=lambda: peak_of_process() + sum(map(peak_of_process, family(server.pid))),
            processor=lambda: time.process_time() + sum(map(processor_seconds, family(server.pid))),
            packages=("granian", "pandas", "requests"),
        )


if __name__ == "__main__":
    main()

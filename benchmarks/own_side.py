"""The product in process: from a table of entity rows to a table with the values, by the verb that REST calls."""

from __future__ import annotations

import django
import pyarrow as pa
import pyarrow.parquet as pq

django.setup()  # the models below need it

from django.contrib.auth import get_user_model  # noqa: E402

from benchmarks.measured import asked_work, measure  # noqa: E402
from catalog.clock import now  # noqa: E402
from serving.historical import read_historical  # noqa: E402
from serving.point_in_time import TimeRange  # noqa: E402
from serving.resolving import resolve_for_reading  # noqa: E402
from serving.wire.arrow_rows import ArrowRows  # noqa: E402


def main() -> None:
    work = asked_work()
    entities = pq.read_table(work.entities_file)
    user = get_user_model().objects.get(username="benchmark")

    def read() -> pa.Table:
        return read_historical(
            user=user,
            frame=ArrowRows(entities),
            resolved=resolve_for_reading(user=user, features=work.features),
            time_range=TimeRange(),
            known_at=None,
            at=now(),
        ).table()

    measure(work, read, packages=("feature-store", "pyarrow", "deltalake"))


if __name__ == "__main__":
    main()

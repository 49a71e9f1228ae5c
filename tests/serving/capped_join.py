"""A join under a real limit of memory: ``python -m tests.serving.capped_join HOW GROUP``.

After the imports and a small join of the same kind, the process allows itself ``LIMIT`` bytes more than it has
(``RLIMIT_DATA``: what is beyond fails; files that are mapped take nothing of it), joins in the way that is asked for,
and compares every value with what follows from its key and its time. It prints JSON: the bytes of the entity rows and
the values, and the rows.

The answer is taken batch by batch.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator

import django
import pyarrow as pa

django.setup()

from django.contrib.auth.models import User  # noqa: E402

from catalog.clock import now  # noqa: E402
from catalog.models import FeatureGroup  # noqa: E402
from serving.historical import stream_historical  # noqa: E402
from serving.point_in_time import TimeRange  # noqa: E402
from serving.resolving import resolve_for_reading  # noqa: E402
from serving.stores.offline import open_history  # noqa: E402
from serving.wire.arrow_rows import ArrowRows  # noqa: E402
from tests.serving.capped_store import LIMIT, STOCKS, Stock, check, held  # noqa: E402


def batches(stock: Stock, entities: pa.Table) -> Iterator[pa.Table]:
    user = User.objects.get(username="reader")
    yield from stream_historical(
        user=user,
        frame=ArrowRows(entities),
        resolved=resolve_for_reading(user=user, features=stock.features, service=None),
        time_range=TimeRange(),
        known_at=None,
        at=now(),
    ).tables()


WAYS = {"batches": batches}


def main() -> None:
    join, stock, small = WAYS[sys.argv[1]], STOCKS[sys.argv[2]], STOCKS["small"]
    entities, asked = stock.entity_rows(), stock.asked()
    assert check(small, small.asked(), join(small, small.entity_rows())) == small.entities
    # The Delta library opens a table with threads, whose stacks count whether they are used or not.
    for _ in range(3):
        opened = open_history(FeatureGroup.objects.get(name=stock.group))
        assert opened is not None
        opened.keyed_dataset.count_rows()
    most = held() + LIMIT
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    rows = check(stock, asked, join(stock, entities))
    size = stock.history_bytes + entities.nbytes + rows * stock.columns * stock.width
    print(json.dumps({"bytes": size, "rows": rows}))


if __name__ == "__main__":
    main()

"""Fills the scratch store: the rows of the flat files by the product's own append, and a token to read them.

``python -m benchmarks.own_writer FOLDER COMMITS``, started by :mod:`benchmarks.own_store`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

django.setup()  # the models below need it

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402

from benchmarks.own_store import JOIN_KEY, token_file  # noqa: E402
from catalog.access import Role  # noqa: E402
from catalog.entity_key_columns import encode_entity_keys  # noqa: E402
from catalog.models import FeatureGroup, FeatureVersion  # noqa: E402
from serving.models import Scope  # noqa: E402
from serving.stores.offline import append_history  # noqa: E402
from serving.tokens import issue_token  # noqa: E402


def append_in_commits(group: FeatureGroup, rows: pa.Table, *, commits: int) -> None:
    """Append ``rows``, which stand in the order in which they happened, in ``commits`` equal parts."""
    bounds = np.linspace(0, rows.num_rows, commits + 1, dtype=int)
    for epoch in range(1, commits + 1):
        start, end = int(bounds[epoch - 1]), int(bounds[epoch])
        append_rows(group, rows.slice(start, end - start), epoch=epoch)


def append_rows(group: FeatureGroup, rows: pa.Table, *, epoch: int) -> None:
    """Append ``rows`` of a flat file to the group's history in one commit."""
    append_history(group=group, rows=_as_history(group, rows, epoch=epoch), run_id=f"{group.name}-{epoch}", epoch=epoch)


def _as_history(group: FeatureGroup, rows: pa.Table, *, epoch: int) -> pa.Table:
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "entity_key": encode_entity_keys([rows.column(JOIN_KEY)]),
        "event_timestamp": rows.column("event_timestamp"),
        "created_timestamp": rows.column("created_timestamp"),
        "run_id": pa.repeat(f"{group.name}-{epoch}", rows.num_rows),
        "arrival": pa.array(np.arange(rows.num_rows, dtype=np.int64) + (epoch << 32)),
    }
    for version in FeatureVersion.objects.filter(feature__group=group).select_related("feature"):
        columns[version.value_column] = rows.column(version.feature.name)
    return pa.table(columns)


def main() -> None:
    folder, commits = Path(sys.argv[1]), int(sys.argv[2])
    for group in FeatureGroup.objects.order_by("name"):
        append_in_commits(group, pq.read_table(folder / f"{group.name}.parquet"), commits=commits)
    user = get_user_model().objects.create_user("benchmark")
    user.groups.add(Group.objects.get(name=Role.DATA_SCIENTIST.value))
    token_file(folder).write_text(issue_token(user=user, name="benchmark", scopes=[Scope.READ]).key)


if __name__ == "__main__":
    main()

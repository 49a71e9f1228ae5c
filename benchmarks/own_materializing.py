"""The product's materialization in a process of its own, as a worker makes it.

``python -m benchmarks.own_materializing ENTITIES FEATURES TURN``: in turn 0 the online rows are made from the whole
history; in a later one a newer row of every entity is appended first (see
:func:`benchmarks.history_data.next_history`), and what is new is carried over.
"""

from __future__ import annotations

import sys

import django
from django.conf import settings

django.setup()  # the models below need it

from benchmarks.history_data import Shape, next_history  # noqa: E402
from benchmarks.materialized import materialize_when_told  # noqa: E402
from benchmarks.own_writer import append_rows  # noqa: E402
from catalog.models import FeatureGroup  # noqa: E402
from featurestore_site.priority import give_way  # noqa: E402
from ingestion.rebuilding import rebuild_online  # noqa: E402


def main() -> None:
    entities, features, turn = map(int, sys.argv[1:])
    give_way(settings.FEATURESTORE.performance.worker_niceness)
    groups = list(FeatureGroup.objects.select_related("entity").order_by("name"))
    shape = Shape(entities=entities, events=1, groups=len(groups), features=features)
    if turn:
        for number, group in enumerate(groups):
            append_rows(group, next_history(shape, number, turn), epoch=turn + 1)

    def work() -> int:
        done = [rebuild_online(group, whole=turn == 0) for group in groups]
        return sum(each.rows_written for each in done if each is not None)

    materialize_when_told(work)


if __name__ == "__main__":
    main()

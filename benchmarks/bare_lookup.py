"""The floor: the keyed read of the online rows in process, by SQLite alone.

``python -m benchmarks.bare_lookup``, in the environment of a store, reads questions as JSON from its standard input
(name → [number of entities, value columns by group name]) and prints the median seconds of each.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django
import orjson
from django.conf import settings

django.setup()  # the models below need it

from catalog.models import FeatureGroup  # noqa: E402
from serving.models import FeatureValue  # noqa: E402

_REPEATS = 3_000
_SECONDS = 2.0


def _measure(connection: sqlite3.Connection, *, entities: int, columns: dict[str, list[str]]) -> list[float]:
    table = FeatureValue._meta.db_table
    groups = {group.pk: columns[group.name] for group in FeatureGroup.objects.filter(name__in=columns)}
    places = ", ".join("?" * entities)
    conditions = " OR ".join([f"(group_id = ? AND entity_key IN ({places}))"] * len(groups))
    statement = f'SELECT group_id, entity_key, "values", event_timestamp FROM {table} WHERE {conditions}'
    keys = [key for (key,) in connection.execute(f"SELECT DISTINCT entity_key FROM {table}")]
    choose = random.Random(7)

    def asked() -> list[Any]:
        chosen = choose.sample(keys, entities)
        return [parameter for group in groups for parameter in (group, *chosen)]

    def query(parameters: list[Any]) -> list[Any]:
        return connection.execute(statement, parameters).fetchall()

    def answer(parameters: list[Any]) -> bytes:
        found: dict[str, list[Any]] = {}
        for group, key, text, _ in query(parameters):
            values = orjson.loads(text)
            found.setdefault(key, []).extend([values[name] for name in groups[group]])
        return orjson.dumps(found)

    if len(query(asked())) != entities * len(groups):
        raise RuntimeError("some rows are not there")
    return [_median(query, asked), _median(answer, asked)]


def _median(read: Callable[[list[Any]], object], asked: Callable[[], list[Any]]) -> float:
    seconds: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(seconds) < _REPEATS and time.perf_counter() < end:
        parameters = asked()
        start = time.perf_counter()
        read(parameters)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    connection = sqlite3.connect(settings.DATABASES["default"]["NAME"])
    questions = json.load(sys.stdin)
    print(
        json.dumps(
            {
                name: _measure(connection, entities=entities, columns=columns)
                for name, (entities, columns) in questions.items()
            }
        )
    )


if __name__ == "__main__":
    main()

"""``python -m tests.stores.reading_while_writing``: readers in threads beside a writer, in an installation of its own.

It prints as JSON what the readers found wrong, and how much they read. In a test's own process SQLite's database is in
memory, where threads lock each other out; here it is a file, as it is where the store is installed.
"""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from catalog.access import Role  # noqa: E402
from catalog.models import FeatureGroup  # noqa: E402
from serving import materialization, online_rows  # noqa: E402
from serving.materialization import materialize_group  # noqa: E402
from tests.stocked_store import DAY, client_of, make_feature, make_group, make_user, put_history  # noqa: E402

KEYS = [f"stale {number}" for number in range(12)]
TURNS = 8
READERS = 2
FEATURES = ["stale_a", "stale_b", "stale_c"]


def carry(group: FeatureGroup, turn: int, *, rebuild: bool = False) -> None:
    """Make ``turn`` the value of every feature of every entity; it is acknowledged when this returns."""
    event = DAY + timedelta(seconds=turn)
    put_history(group, [{"key": key, "event": event, **{f"{name}_v1": turn for name in FEATURES}} for key in KEYS])
    materialize_group(group, rebuild=rebuild)


def rows_read(client: Client) -> list[list[Any]]:
    """The values of the three features, of every entity."""
    body = json.dumps({"entity_ids": KEYS, "features": FEATURES})
    answer = client.post("/api/v1/features/batch", body, "application/json")
    if answer.status_code != 200:
        raise RuntimeError(answer.content)
    return [[result["features"][name] for name in FEATURES] for result in answer.json()["results"]]


class Acknowledged:
    """The last turn whose writing has returned."""

    def __init__(self, turn: int) -> None:
        self.turn = turn


def read_beside(client: Client, group: FeatureGroup, *, first: int, rebuild: bool) -> tuple[list[str], int]:
    """What readers find wrong while :data:`TURNS` turns are written, and how often the least of them has read."""
    acknowledged = Acknowledged(first)
    stop = threading.Event()
    wrong: list[str] = []
    reads = [0] * READERS

    def read(number: int) -> None:
        try:
            while not stop.is_set() or not reads[number]:
                known = acknowledged.turn
                for row in rows_read(client):
                    if len(set(row)) > 1:
                        wrong.append(f"half a row: {row}")
                    if min(row) < known:
                        wrong.append(f"{row} after {known} was acknowledged")
                reads[number] += 1
        except Exception as error:  # noqa: BLE001  # a thread has nobody else to tell
            wrong.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(first + 1, first + TURNS + 1):
            carry(group, turn, rebuild=rebuild)
            acknowledged.turn = turn
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    last = rows_read(client)
    if last != [[first + TURNS] * len(FEATURES)] * len(KEYS):
        wrong.append(f"in the end: {last}")
    return wrong, min(reads)


def main() -> None:
    setup_test_environment()
    group = make_group("stale")
    for name in FEATURES:
        make_feature(group, name, "integer")
    client = client_of(make_user("stale reader", Role.DATA_SCIENTIST))
    carry(group, 0)
    found = {}
    turn = 0
    for size in ("together", "in batches"):
        if size == "in batches":
            materialization.TOGETHER_ROWS = 0
            online_rows.BATCH_ROWS = 5
        for rebuild in (False, True):
            found[f"{size}, {'all rows anew' if rebuild else 'new rows'}"] = read_beside(
                client, group, first=turn, rebuild=rebuild
            )
            turn += TURNS
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""``python -m tests.stores.reading_in_another_process``: this process writes, another one reads what it has kept.

The other is started with the argument ``reader``. It reads on and on, so that answers are kept all the time; of every
turn that is acknowledged it is told, reads at once, and says whether it has it. What it found wrong is printed as JSON
by the first, with how often it read.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import timedelta

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, setup_test_environment  # noqa: E402

from catalog.access import Role  # noqa: E402
from serving.tokens import issue_token  # noqa: E402
from tests.stocked_store import DAY, make_feature, make_group, make_user, put_online  # noqa: E402

KEYS = [f"kept {number}" for number in range(5)]
FEATURES = ["kept_a", "kept_b"]
TURNS = 60


def rows_read(client: Client) -> list[list[int]]:
    """The values of both features, of every entity, by our call and by Feast's."""
    ours = client.post(
        "/api/v1/features/batch", json.dumps({"entity_ids": KEYS, "features": FEATURES}), "application/json"
    )
    body = {"features": [f"kept:{name}" for name in FEATURES], "entities": {"customer_id": KEYS}}
    feast = client.post("/get-online-features", json.dumps(body), "application/json")
    if (ours.status_code, feast.status_code) != (200, 200):
        raise RuntimeError(ours.content + feast.content)
    rows = [[result["features"][name] for name in FEATURES] for result in ours.json()["results"]]
    columns = [result["values"] for result in feast.json()["results"][1:]]
    return rows + [list(row) for row in zip(*columns, strict=True)]


class Reader:
    def __init__(self, key: str) -> None:
        self.client = Client(headers={"authorization": f"Token {key}"})
        self.known = 0
        self.wrong: list[str] = []
        self.reads = 0

    def read(self) -> None:
        """Read once; a row that is older than what was known before is wrong, and so is one of two turns."""
        known = self.known
        for row in rows_read(self.client):
            if len(set(row)) > 1 or row[0] < known:
                self.wrong.append(f"{row} after {known} was acknowledged")
        self.reads += 1

    def read_on(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                self.read()
        except Exception as error:  # noqa: BLE001  # a thread has nobody else to tell
            self.wrong.append(repr(error))
        finally:
            connection.close()


def be_reader(key: str) -> None:
    setup_test_environment()
    reader = Reader(key)
    stop = threading.Event()
    reader.read()
    thread = threading.Thread(target=reader.read_on, args=(stop,))
    thread.start()
    print("ready", flush=True)
    for line in sys.stdin:
        reader.known = int(line)
        reader.read()
        print("read", flush=True)
    stop.set()
    thread.join()
    reader.read()
    with CaptureQueriesContext(connection) as captured:
        reader.read()
    kept = not [query for query in captured if "featurevalue" in query["sql"]]
    print(json.dumps({"wrong": reader.wrong, "reads": reader.reads, "kept": kept}), flush=True)


def main() -> None:
    group = make_group("kept")
    for name in FEATURES:
        make_feature(group, name, "integer")
    key = issue_token(user=make_user("kept reader", Role.DATA_SCIENTIST), name="test", scopes=["read"]).key

    def write(turn: int) -> None:
        for entity in KEYS:
            put_online(group, entity, dict.fromkeys((f"{name}_v1" for name in FEATURES), turn), event=DAY + turn * tick)

    tick = timedelta(seconds=1)
    write(0)
    other = subprocess.Popen(
        [sys.executable, "-m", "tests.stores.reading_in_another_process", "reader", key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    for turn in range(1, TURNS + 1):
        write(turn)
        other.stdin.write(f"{turn}\n")
        other.stdin.flush()
        assert other.stdout.readline() == "read\n"
    told, _ = other.communicate(timeout=180)
    print(told.splitlines()[-1])


if __name__ == "__main__":
    be_reader(sys.argv[2]) if sys.argv[1:2] == ["reader"] else main()

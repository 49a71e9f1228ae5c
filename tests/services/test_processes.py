"""Several processes on one store: leases, runs at the same time, a run whose process dies.

The tests share an installation per database, and each has groups of its own.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.installation import Installation, printed_by

pytestmark = [pytest.mark.services, pytest.mark.slow]

ROUNDS = 30
LOOK = """
import json, django
django.setup()
from ingestion.models import GroupLease
from ingestion.status import store_status
counts = {group.name: (group.rows_history, group.rows_online, group.table_version) for group in store_status().groups}
epochs = dict(GroupLease.objects.values_list("group__name", "epoch"))
print(json.dumps({"counts": counts, "epochs": epochs}))
"""


def look(installation: Installation) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Per group: rows of history, rows online and version of the table; and the lease's epoch."""
    seen = json.loads(installation.run("-c", LOOK).splitlines()[-1])
    return seen["counts"], seen["epochs"]


def test_a_lease_has_one_holder(installation: Installation, tmp_path: Path) -> None:
    _, before = look(installation)
    command = ("-m", "tests.services.lease_contest", "customer_derived", str(ROUNDS), str(tmp_path / "held"))

    contestants = [installation.start(*command) for _ in range(2)]
    for contestant in contestants:
        printed_by(contestant)

    _, after = look(installation)
    assert after["customer_derived"] - before.get("customer_derived", 0) == 2 * ROUNDS


def test_a_killed_ingestion_is_made_good_by_the_next(installation: Installation) -> None:
    """It is killed when its commit to history is made, before or while it writes to the database."""
    group = "customer_demographics"
    commit = installation.folder / "data" / "offline" / group / "_delta_log" / f"{1:020}.json"
    killed = installation.start("manage.py", "ingest", group)
    deadline = time.monotonic() + 180
    while not commit.exists() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert commit.exists()

    installation.manage("ingest", group)

    counts, _ = look(installation)
    history, online, version = counts[group]
    assert online == 60
    assert history >= online
    assert version == 1


def test_two_ingestions_at_once_store_every_row_once(installation: Installation) -> None:
    groups = ("customer_financial", "customer_derived")

    both = [installation.start("manage.py", "ingest", *groups) for _ in range(2)]
    for each in both:
        printed_by(each)

    stored, _ = look(installation)
    installation.manage("ingest", *groups)
    again, _ = look(installation)
    assert again == stored
    assert stored["customer_financial"][0] == stored["customer_derived"][0] > 0
    assert stored["customer_financial"][1] == stored["customer_derived"][1] > 0

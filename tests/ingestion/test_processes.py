"""Real processes on one SQLite file: killed in the middle, and two at once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, printed_by

pytestmark = pytest.mark.slow

PREPARE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("demo_warehouse", customers=100, days=4)
call_command("apply")
"""
STATE = """
import django, json, sys
django.setup()
from catalog.models import FeatureGroup
from ingestion.models import IngestionRun, ValidationReport
from serving.models import FeatureValue
from serving.stores.offline import open_history
group = FeatureGroup.objects.get(name=sys.argv[1])
made_by_run = ("created_timestamp", "run_id", "arrival")
print(json.dumps({
    "online": list(FeatureValue.objects.filter(group=group).values_list("entity_key", flat=True)),
    "history": [
        repr(sorted((name, value) for name, value in row.items() if name not in made_by_run))
        for row in open_history(group).dataset.to_table().to_pylist()
    ],
    "runs": list(IngestionRun.objects.filter(group=group).order_by("created_at").values_list(
        "state", "attempts", "rows_read", "rows_appended", "rows_online", "rows_rejected")),
    "reports": ValidationReport.objects.filter(group=group).count(),
}))
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A store with a small demo warehouse, registered and not yet ingested."""
    folder = tmp_path_factory.mktemp("processes")
    made = Installation(folder=folder, database_url=f"sqlite:///{folder / 'store.db'}")
    made.run("-c", PREPARE)
    return made


def state(installation: Installation, group: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(installation.run("-c", STATE, group))
    return found


def halted(installation: Installation, flag: Path, step: str, *arguments: str) -> None:
    """An ingestion in a process of its own, killed when it has done the step."""
    halting = installation.start("-m", "tests.ingestion.halting_ingest", step, str(flag), *arguments)
    deadline = time.monotonic() + 120
    while not flag.exists():
        assert halting.poll() is None, halting.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    halting.kill()
    halting.communicate()


def test_killed_in_the_middle_and_started_again(installation: Installation, tmp_path: Path) -> None:
    """With the offline commit made and nothing of the second one."""
    halted(installation, tmp_path / "halted", "ingestion.pipeline:append_history", "customer_financial")

    installation.manage("ingest", "customer_financial", "--timeout", "20")  # at once: its lease would run for 60 s

    after = state(installation, "customer_financial")
    first, second = after["runs"]
    state_, attempts, read, appended, online, rejected = first
    assert (state_, attempts) == ("succeeded", 2)
    assert appended == len(after["history"]) == len(set(after["history"])) == read - rejected > 0
    assert online == len(after["online"]) > 0
    assert second == ["succeeded", 1, read, 0, 0, rejected]
    assert after["reports"] == 2


def test_killed_between_two_batches_of_a_large_load(installation: Installation, tmp_path: Path) -> None:
    """Batches of ten rows, killed before the third: twenty are online, and stay, and are counted once."""
    small = ("serving.materialization:TOGETHER_ROWS=0", "serving.online_rows:BATCH_ROWS=10")
    halted(installation, tmp_path / "halted", "serving.online_rows:_batch:3", *small, "customer_demographics")
    broken_off = state(installation, "customer_demographics")
    assert broken_off["runs"][0][0] == "running"
    assert len(broken_off["online"]) == broken_off["runs"][0][4] == 20

    installation.manage("ingest", "customer_demographics", "--timeout", "20")

    after = state(installation, "customer_demographics")
    state_, attempts, read, appended, online, rejected = after["runs"][0]
    assert (state_, attempts) == ("succeeded", 2)
    assert appended == len(after["history"]) == len(set(after["history"])) == read - rejected > 0
    assert online == len(after["online"]) > 20
    assert set(broken_off["online"]) <= set(after["online"])


def test_two_at_once_store_every_row_once(installation: Installation) -> None:
    both = [installation.start("manage.py", "ingest", "customer_derived") for _ in range(2)]
    for each in both:
        printed_by(each)

    after = state(installation, "customer_derived")

    assert all(run[0] == "succeeded" for run in after["runs"])
    assert len(after["history"]) == len(set(after["history"])) > 0
    appended = sorted(run[3] for run in after["runs"])
    assert appended == [0] * (len(appended) - 1) + [len(after["history"])]

"""Training datasets built by real processes: several at once, and one that is killed in the middle."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, printed_by

pytestmark = pytest.mark.slow

_STOCK = """
import django
django.setup()
from django.core.management import call_command
from catalog.access import Role
from tests.datasets_made import asked, stocked_group
from tests.stocked_store import make_user
call_command("migrate", verbosity=0)
stocked_group()
sara = make_user("sara", Role.DATA_SCIENTIST)
print(*[asked(sara).pk for _ in range(2)])
"""
_LOOK = """
import json, sys, django
django.setup()
from serving.datasets.building import unowned_datasets
from serving.datasets.files import folder_of
from serving.datasets.verifying import verify_dataset
from serving.models import TrainingDataset
told = {}
for dataset in TrainingDataset.objects.all():
    built = dataset.state == "succeeded"
    told[str(dataset.pk)] = {
        "state": dataset.state, "attempts": dataset.attempts, "hash": dataset.content_hash,
        "unowned": dataset.pk in unowned_datasets(), "identical": verify_dataset(dataset).identical if built else None,
        "files": sorted(path.name for path in folder_of(dataset.pk).iterdir()),
    }
print(json.dumps(told))
"""


@pytest.fixture
def store(tmp_path: Path) -> Installation:
    return Installation(folder=tmp_path, database_url=f"sqlite:///{tmp_path / 'store.db'}")


def look(store: Installation) -> dict[str, Any]:
    return json.loads(store.run("-c", _LOOK).splitlines()[-1])


def builder(*arguments: str) -> tuple[str, ...]:
    return ("-m", "tests.serving.dataset_builder", *arguments)


def test_one_is_built_once_by_several_and_again_after_a_killed_one(store: Installation) -> None:
    first, second = store.run("-c", _STOCK).splitlines()[-1].split()

    several = [store.start(*builder(first)) for _ in range(3)]
    states = [printed_by(process).splitlines()[-1] for process in several]
    assert "succeeded" in states
    assert set(states) <= {"succeeded", "running"}

    flag = store.folder / "halted"
    killed = store.start(*builder(second, str(flag)))
    deadline = time.monotonic() + 180
    while not flag.exists() and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    during = look(store)[second]
    assert printed_by(store.start(*builder(second))).splitlines()[-1] == "running", "another is at it"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    after = look(store)[second]
    assert [(one["state"], one["unowned"], one["attempts"]) for one in (during, after)] == [
        ("running", False, 1),
        ("running", True, 1),
    ]
    assert printed_by(store.start(*builder(second))).splitlines()[-1] == "succeeded"

    told = look(store)
    assert [(one["state"], one["attempts"], one["identical"]) for one in (told[first], told[second])] == [
        ("succeeded", 1, True),
        ("succeeded", 2, True),
    ]
    assert told[first]["hash"] == told[second]["hash"]
    assert told[first]["files"] == ["data-1.parquet", "entity_rows.parquet"]
    assert told[second]["files"] == ["data-2.parquet", "entity_rows.parquet"]

"""Compaction while others read and write, each in a process of its own; and compactions that are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.ingestion.around_compaction import COMPACTIONS, GROUP
from tests.installation import Installation, printed_by

pytestmark = pytest.mark.slow

COMMITS = 20
ROWS = 30_000
_STOCK = """
import django
django.setup()
from django.core.management import call_command
from serving.stores.offline import append_history
from tests.ingestion.around_compaction import GROUP, rows
from tests.stocked_store import make_feature, make_group
call_command("migrate", verbosity=0)
group = make_group(GROUP)
make_feature(group, "balance", "integer")
for number in range(3):
    table = rows("before", number * {rows}, {rows}, arrival=True)
    append_history(group=group, rows=table, run_id=f"stock-{{number}}", epoch=number + 1)
"""


def installation(folder: Path) -> Installation:
    return Installation(folder=folder, database_url=f"sqlite:///{folder / 'store.db'}")


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stocked")
    installation(folder).run("-c", _STOCK.format(rows=ROWS))
    return folder


@pytest.fixture
def store(stocked: Path, tmp_path: Path) -> Installation:
    return installation(Path(shutil.copytree(stocked, tmp_path / "store")))


def table_of(store: Installation) -> DeltaTable:
    return DeltaTable(str(store.folder / "data" / "offline" / GROUP))


def values(store: Installation, key: str) -> list[int]:
    stored = table_of(store).to_pyarrow_dataset().to_table(["entity_key", "balance_v1"]).to_pylist()
    return sorted(row["balance_v1"] for row in stored if row["entity_key"] == key)


def role(store: Installation, *command: str) -> list[str]:
    return ["-m", "tests.ingestion.around_compaction", command[0], str(store.folder), *command[1:]]


def started(store: Installation, ended: ExitStack, *command: str) -> subprocess.Popen[str]:
    """A process that is killed at the end, should it still run then."""
    process = store.start(*role(store, *command))

    def end() -> None:
        process.send_signal(signal.SIGKILL)
        process.communicate()

    ended.callback(end)
    return process


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 180
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.01)


def test_no_commit_is_lost_and_no_reader_waits_while_it_runs_again_and_again(store: Installation) -> None:
    with ExitStack() as ended:
        compacting, reading = (started(store, ended, name) for name in ("compact", "read"))
        wait_for(store.folder / "compacting")
        writers = [started(store, ended, name, str(COMMITS)) for name in ("write", "append")]
        written, appended = (int(printed_by(writer)) for writer in writers)
        (store.folder / "stop").touch()
        told = json.loads(printed_by(reading)) | json.loads(printed_by(compacting))

    assert told["compactions"] >= COMPACTIONS, told
    assert told["reads"] >= 10, told
    assert min(written, appended) >= COMMITS
    assert values(store, "written") == list(range(written))
    assert values(store, "appended") == list(range(appended))
    assert values(store, "before") == list(range(3 * ROWS))


def test_reading_and_appending_go_on_while_one_is_in_the_middle(store: Installation) -> None:
    with ExitStack() as ended:
        halting = started(store, ended, "halt", "halted")
        wait_for(store.folder / "halted")
        store.run(*role(store, "append", "2"))
        reading = started(store, ended, "read")
        wait_for(store.folder / "read")
        (store.folder / "stop").touch()
        told = json.loads(printed_by(reading))
        assert halting.poll() is None
    assert told["reads"] >= 1
    assert told["newest"] == {"written": -1, "appended": 1}


def test_killed_ones_leave_a_readable_table_and_no_growing_garbage(store: Installation) -> None:
    folder = store.folder / "data" / "offline" / GROUP
    spilled = store.folder / "data" / "cache" / "compaction"
    version = table_of(store).version()
    committed = {path.name for path in folder.glob("*.parquet")}
    for attempt in range(3):
        with ExitStack() as ended:
            started(store, ended, "halt", f"halted-{attempt}")
            wait_for(store.folder / f"halted-{attempt}")
        assert table_of(store).version() == version
        assert len(list(spilled.iterdir())) == 1, "what the killed one spilled, and nothing of those before it"
    garbage = {path.name for path in folder.glob("*.parquet")} - committed
    assert len(garbage) >= 3
    assert values(store, "before") == list(range(3 * ROWS))

    eight_days_ago = time.time() - 8 * 24 * 3600
    for path in folder.glob("*.parquet"):
        os.utime(path, (eight_days_ago, eight_days_ago))
    assert f"{GROUP}: 3 files" in store.manage("compact", GROUP)

    left = {path.name for path in folder.glob("*.parquet")}
    assert not left & garbage
    assert committed < left, "older versions stay for a week"
    assert len(left) == 4
    assert list(spilled.iterdir()) == []
    assert values(store, "before") == list(range(3 * ROWS))

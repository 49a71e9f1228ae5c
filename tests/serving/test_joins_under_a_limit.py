"""Joins ten times larger than ``feature_store.history_memory_limit``, in processes that may have no more than it.

The limit is real: the kernel refuses what a process asks for beyond what it had before and the limit. With a setting
that is larger than that the same join fails.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require
from tests.installation import PROJECT, Installation
from tests.serving.capped_store import LIMIT, STOCKS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a store, and a token."""
    require(sys.platform == "linux", "Linux, where RLIMIT_DATA holds for all memory")
    made = tmp_path_factory.mktemp("store")
    printed = installation(made, LIMIT).run("-m", "tests.serving.capped_store", *STOCKS, timeout=1_200)
    return made, printed.splitlines()[-1]


@pytest.fixture
def folder(stocked: tuple[Path, str]) -> Path:
    return stocked[0]


def installation(folder: Path, limit: int) -> Installation:
    text = (PROJECT / "config_step7.yaml").read_text(encoding="utf-8")
    config = folder / f"config_{limit}.yaml"
    config.write_text(
        re.sub(r"history_memory_limit: \w+", f"history_memory_limit: {limit // 10**6}MB", text), encoding="utf-8"
    )
    variables = {
        "FEATURESTORE_CONFIG": str(config),
        # These allocators keep what was given back to them, and the kernel counts that.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_THRESHOLD_": "131072",
    }
    return Installation(folder=folder, database_url=f"sqlite:///{folder / 'store.db'}", variables=variables)


def joined(folder: Path, limit: int, how: str, group: str) -> subprocess.CompletedProcess[str]:
    def small_stacks() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (1024**2, 1024**2))

    return subprocess.run(
        [sys.executable, "-m", "tests.serving.capped_join", how, group],
        cwd=PROJECT,
        env=installation(folder, limit).environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        preexec_fn=small_stacks,
    )


def left_on_disk(folder: Path) -> list[Path]:
    spilled = folder / "data" / "cache" / "spill"
    return list(spilled.iterdir()) if spilled.exists() else []


@pytest.mark.parametrize(
    ("how", "group"),
    [
        pytest.param("batches", "many", id="many entity rows"),
        pytest.param("batches", "long", id="a long history of which little answers"),
        pytest.param("batches", "hot", id="one key with millions of events"),
        pytest.param("batches", "texts", id="long texts"),
        pytest.param("batches", "lists", id="embeddings"),
    ],
)
def test_a_join_ten_times_larger_than_the_limit_is_right_and_leaves_nothing_on_disk(
    folder: Path, how: str, group: str
) -> None:
    done = joined(folder, LIMIT, how, group)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["bytes"] >= 10 * LIMIT
    assert told["rows"] == STOCKS[group].entities
    assert left_on_disk(folder) == []


def test_the_process_really_has_no_more(folder: Path) -> None:
    done = joined(folder, 20 * LIMIT, "batches", "many")

    assert done.returncode != 0
    assert re.search(r"MemoryError|malloc of size \d+ failed", done.stderr), done.stderr

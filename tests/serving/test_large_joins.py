"""Memory of a historical read: bounded, however large the answer is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("form", ["arrow", "parquet", "csv"])
def test_an_answer_many_times_larger_than_the_limit_is_sent_with_little_memory(tmp_path: Path, form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.serving.large_join", str(tmp_path), form],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"] == 300_000
    assert told["values"] > 10 * told["limit"]
    assert told["sent"] > told["values"] / 5
    assert told["needed"] < told["values"] / 2, told

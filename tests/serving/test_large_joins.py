"""Memory of a historical read: bounded, however large the answer is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


FEW, MANY = 100_000, 400_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("history")
    run(made, "history")
    return made


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.serving.large_join", str(folder), *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("form", ["arrow", "parquet", "csv"])
def test_an_answer_many_times_larger_than_the_limit_needs_little_more_memory_than_a_small_one(
    folder: Path, form: str
) -> None:
    few, many = (json.loads(run(folder, form, str(rows))) for rows in (FEW, MANY))
    assert many["rows"] == MANY
    assert many["values"] > 20 * many["limit"]
    assert many["history"] > 4 * many["limit"]
    assert many["sent"] > many["values"] / 5
    assert many["peak"] - few["peak"] < (many["values"] - few["values"]) / 2, (few, many)

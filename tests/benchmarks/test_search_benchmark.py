"""The benchmark of search runs from end to end, on very little data."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.own_store import PROJECT
from benchmarks.search_catalog import EXPECTED, drawn_queries, made_features


def test_what_is_drawn_is_the_same_for_the_same_seed() -> None:
    features = list(made_features(200))
    assert features == list(made_features(200))
    assert len({(one.entity, one.name) for one in features}) == 200
    assert drawn_queries(features, 16) == drawn_queries(features, 16)
    assert len({kind for kind, _ in drawn_queries(features, 16)}) == 8


@pytest.mark.slow
def test_a_small_run_measures_and_checks() -> None:
    command = [sys.executable, "-m", "benchmarks.search", "--features", "300", "--queries", "16", "--most", "60000"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(EXPECTED)} expected first hits: all hold" in done.stdout
    assert "| right after an edit | 10 |" in done.stdout

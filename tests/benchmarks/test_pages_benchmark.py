"""The benchmark of pages knows every page, and runs from end to end on little data."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.own_store import PROJECT
from benchmarks.pages import PAGES
from tests.browser import every_page


def test_every_page_is_measured() -> None:
    # The list of features is the search without words, and leads there.
    assert set(PAGES) == set(every_page.PAGES) - {"catalog:feature-list"}


@pytest.mark.slow
def test_a_small_run_measures_all_pages() -> None:
    command = [sys.executable, "-m", "benchmarks.pages", "--features", "300", "--days", "2", "--repeats", "2"]
    done = subprocess.run(
        [*command, "--most", "60000"], cwd=PROJECT, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| `/quality/` | viewer |" in done.stdout
    assert "all keep what is promised" in done.stdout

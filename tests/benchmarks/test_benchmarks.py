"""The benchmarks run from end to end, on very little data."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.comparing import Difference, compare_tables
from benchmarks.feast_environment import has_feast
from benchmarks.historical_report import Results, report
from benchmarks.history_data import Shape, entity_rows, history_of
from benchmarks.machine import this_machine
from benchmarks.measured import ROW, Measured
from benchmarks.own_store import PROJECT
from benchmarks.report import shown_seconds, write_between

# An environment with Feast, where one was made.
_FEAST = os.environ.get("FEATURESTORE_TEST_FEAST_VENV", "")
_FLAT = {"reading", "duckdb_at_once", "duckdb_by_group", "duckdb_at_once_ties", "duckdb_by_group_ties"}


def run_historical(folder: Path, *arguments: str) -> tuple[dict[tuple[str, int], Measured], dict[str, Difference], str]:
    """What a small run measured, how the answers differ, and what it printed."""
    figures = folder / "figures.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.historical", "--entities", "200", "--events", "5", "--rows", "50",
            "--repeats", "1", "--folder", str(folder), "--json", str(figures), *arguments,
        ],
        cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    measured = {(item.pop("contestant"), item.pop("rows")): Measured(**item) for item in found["measured"]}
    differences = {item.pop("contestant"): item for item in found["differences"]}
    for item in differences.values():
        item.pop("rows")
    return measured, {name: Difference(**item) for name, item in differences.items()}, done.stdout


@pytest.mark.slow
def test_every_engine_answers_what_the_store_answers(tmp_path: Path) -> None:
    polars = {"polars"} if importlib.util.find_spec("polars") else set()

    measured, differences, printed = run_historical(tmp_path)

    assert {name for name, _ in measured} == {"own", "own_http", *_FLAT, *polars}
    assert all(found.median > 0 and found.peak_bytes > 1e7 for found in measured.values())
    decided = {"own_http", "duckdb_at_once_ties", "duckdb_by_group_ties", *polars}
    assert {name: differences[name] for name in decided} == dict.fromkeys(decided, Difference(0, 0, 0))
    assert "| this store, in process |" in printed


@pytest.mark.slow
def test_feast_answers_beside_the_store(tmp_path: Path) -> None:
    if not has_feast(Path(_FEAST) / "bin" / "python"):
        pytest.skip("needs an environment with Feast, named by FEATURESTORE_TEST_FEAST_VENV")

    measured, differences, _ = run_historical(
        tmp_path, "--feast-venv", _FEAST, "--only", "own", "feast_duckdb", "feast_default"
    )

    assert {name for name, _ in measured} == {"own", "feast_duckdb", "feast_default"}
    assert differences["feast_duckdb"].lost == 0


def test_the_data_is_the_same_for_the_same_seed() -> None:
    shape = Shape(entities=20, events=3, features=2)

    assert history_of(shape, 1).equals(history_of(shape, 1))
    assert not history_of(shape, 1).equals(history_of(shape, 2).rename_columns(history_of(shape, 1).column_names))
    assert entity_rows(shape, 30).equals(entity_rows(shape, 30))
    assert history_of(shape, 0).num_rows == 60


def test_differences_are_counted_by_row() -> None:
    right = pa.table({ROW: [0, 1, 2, 3], "f": [1.0, None, 3.0, 4.0]})

    assert compare_tables(right.take([3, 1, 0, 2]), right).none
    assert compare_tables(pa.table({ROW: [0, 1, 1, 3], "f": [1.0, 2.0, 2.0, 4.0]}), right) == Difference(1, 1, 1)


def test_aims_that_were_not_measured_are_left_out() -> None:
    results = Results(
        shape=Shape(entities=10, events=2), commits=1, features=20, machine=this_machine(), contestants=[], rows=[10]
    )
    results.found["own", 10] = Measured(first_seconds=0.5, seconds=[0.07, 0.08, 0.09], peak_bytes=1, versions={})

    text = report(results)

    assert "| 10 rows | at most 60 ms | 80 ms | no |" in text
    assert "Feast" not in text


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0042, "4.2 ms"), (0.055, "55 ms"), (0.41, "0.41 s"), (16.66, "16.7 s")]
)
def test_seconds_are_shown_short(seconds: float, shown: str) -> None:
    assert shown_seconds(seconds) == shown


def test_a_page_keeps_what_is_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n")

    write_between(page, name="figures", text="new\n")

    assert page.read_text() == "before\n<!-- figures -->\nnew\n<!-- end of figures -->\nafter\n"
    with pytest.raises(ValueError, match="lacks the markers"):
        write_between(page, name="other", text="new")

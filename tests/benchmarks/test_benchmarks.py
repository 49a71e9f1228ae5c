"""The benchmarks run from end to end, on very little data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.comparing import Difference, compare_tables
from benchmarks.feast_environment import has_feast
from benchmarks.historical_report import Results, report
from benchmarks.history_data import Shape, entity_rows, history_of, write_flat_files
from benchmarks.machine import this_machine
from benchmarks.measured import ROW, Measured, Work
from benchmarks.own_store import PROJECT
from benchmarks.report import shown_seconds, write_between

# An environment with Feast, where one was made.
_FEAST = os.environ.get("FEATURESTORE_TEST_FEAST_VENV", "")


def run_historical(folder: Path, *arguments: str) -> tuple[dict[tuple[str, int], Measured], dict[str, Difference], str]:
    """What a small run measured, how the answers differ, and what it printed."""
    figures = folder / "figures.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.historical", "--entities", "200", "--events", "5", "--rows", "50",
            "--repeats", "1", "--folder", str(folder), "--json", str(figures), *arguments,
        ],
        cwd=PROJECT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())
    measured = {(item.pop("contestant"), item.pop("rows")): Measured(**item) for item in found["measured"]}
    differences = {item.pop("contestant"): item for item in found["differences"]}
    for item in differences.values():
        item.pop("rows")
    return measured, {name: Difference(**item) for name, item in differences.items()}, done.stdout


@pytest.mark.slow
def test_a_small_run_measures_and_compares(tmp_path: Path) -> None:
    only = ("own", "own_http", "duckdb_ties")

    measured, differences, printed = run_historical(tmp_path, "--only", *only)

    assert {name for name, _ in measured} == set(only)
    assert all(found.median > 0 and found.peak_bytes > 1e7 for found in measured.values())
    assert differences == dict.fromkeys(only[1:], Difference(0, 0, 0))
    assert "| this store, in process |" in printed


@pytest.mark.parametrize("name", ["duckdb_at_once", "duckdb_by_group", "duckdb_ties", "polars"])
def test_the_bare_engines_agree(name: str, tmp_path: Path) -> None:
    flat_side = pytest.importorskip("benchmarks.flat_side", reason="needs polars", exc_type=ImportError)
    shape = Shape(entities=30, events=4, groups=2, features=3)
    write_flat_files(shape, tmp_path)
    entities = entity_rows(shape, 40).append_column(ROW, pa.array(range(40), pa.int64()))
    work = Work(
        contestant=name,
        folder=tmp_path,
        rows=40,
        features=["g0_f00", "g0_f02", "g1_f01"],
        repeats=1,
        budget=1,
        option=name,
    )

    answer = flat_side.READERS[name](work, entities).select([ROW, *work.features])

    right = _by_hand(work, entities)
    assert compare_tables(answer, right).none
    assert any(value is not None for value in right.column("g0_f00").to_pylist())


def _by_hand(work: Work, entities: pa.Table) -> pa.Table:
    """The newest value row of every entity row, looked for in all of them."""
    columns: dict[str, list[object]] = {ROW: entities.column(ROW).to_pylist()}
    for group, names in work.groups.items():
        history = pq.read_table(work.folder / f"group_{group}.parquet").to_pylist()
        columns |= {name: [] for name in names}
        for asked in entities.to_pylist():
            eligible = [
                row
                for row in history
                if row["entity_id"] == asked["entity_id"] and row["event_timestamp"] <= asked["event_timestamp"]
            ]
            newest = max(eligible, key=lambda row: (row["event_timestamp"], row["created_timestamp"]), default={})
            for name in names:
                columns[name].append(newest.get(name))
    return pa.table(
        {name: pa.array(values, pa.int64() if name == ROW else pa.float64()) for name, values in columns.items()}
    )


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
    results.found["own", 10] = Measured(
        first_seconds=0.5, seconds=[0.07, 0.08, 0.09], processor_seconds=[0.1], peak_bytes=1, versions={}
    )

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

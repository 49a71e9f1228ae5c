"""Who takes part in the historical benchmark, and one measurement of one of them in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measured import MARK, Measured, Work
from benchmarks.own_store import PROJECT, environment

OWN, OWN_HTTP = "own", "own_http"
FEAST_DUCKDB, FEAST_DEFAULT = "feast_duckdb", "feast_default"
READING, POLARS = "reading", "polars"
DUCKDB = ("duckdb_at_once", "duckdb_by_group")
DUCKDB_TIES = "duckdb_ties"


@dataclass(frozen=True)
class Contestant:
    """``most_rows`` is how many entity rows it is asked at most, None being any number."""

    name: str
    title: str
    module: str
    option: str = ""
    in_store: bool = False
    foreign: bool = False
    most_rows: int | None = None


def contestants(*, feast: bool) -> list[Contestant]:
    """All of them, in the order of the table."""
    flat = "benchmarks.flat_side"
    found = [
        Contestant(OWN, "this store, in process", "benchmarks.own_side", in_store=True),
        Contestant(OWN_HTTP, "this store, over HTTP to pandas", "benchmarks.own_http_side", in_store=True),
        Contestant(READING, "only reading the columns (pyarrow)", flat, READING),
        Contestant(DUCKDB[0], "DuckDB ASOF, one query", flat, DUCKDB[0]),
        Contestant(DUCKDB[1], "DuckDB ASOF, a query per group", flat, DUCKDB[1]),
        Contestant(DUCKDB_TIES, "DuckDB ASOF, a query per group, ties decided", flat, DUCKDB_TIES),
        Contestant(POLARS, "Polars join_asof", flat, POLARS),
    ]
    if feast:
        side = "benchmarks.feast_side"
        found += [
            Contestant(FEAST_DUCKDB, "Feast, DuckDB offline store", side, "duckdb", foreign=True),
            # Its merge of all events of every entity with every entity row needs tens of gigabytes at a million.
            Contestant(FEAST_DEFAULT, "Feast, default offline store", side, "file", foreign=True, most_rows=100_000),
        ]
    return found


@dataclass(frozen=True)
class Failed:
    """A measurement that came to nothing, and why."""

    reason: str


def run_contestant(contestant: Contestant, *, work: Work, feast_python: Path | None, limit: float) -> Measured | Failed:
    """One measurement; the process is ended after ``limit`` seconds."""
    python = str(feast_python) if contestant.foreign else sys.executable
    variables = environment(work.folder) if contestant.in_store else dict(os.environ)
    try:
        done = subprocess.run(
            [python, "-m", contestant.module, *_arguments(work)],
            cwd=PROJECT, env=variables, capture_output=True, text=True, timeout=limit, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Failed(f"more than {limit:.0f} s")
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return Measured(**json.loads(line.removeprefix(MARK)))
    return Failed((done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1])


def _arguments(work: Work) -> Sequence[str]:
    return (
        "--contestant", work.contestant, "--folder", str(work.folder), "--rows", str(work.rows),
        "--features", ",".join(work.features), "--repeats", str(work.repeats), "--budget", str(work.budget),
        "--option", work.option,
    )  # fmt: skip

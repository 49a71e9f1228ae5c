"""What the project promises about its own shape."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("featurestore_site", "catalog", "serving", "ingestion", "feature_store_client")
MADE_AT_RUN_TIME = {"data", "logs", "reports", "static_root", "build", "dist", "node_modules"}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".cfg", ".txt", ".html", ".css", ".js", ".svg", ".sql", ".ipynb",
        ".json", ".service", ".sh", ""}  # fmt: skip
NO_TOPIC = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "manager2", "signals"}


def files() -> Iterator[Path]:
    """The project's own files, without what is installed, cached or made at run time."""
    for folder, names, found in os.walk(PROJECT):
        at_top = Path(folder) == PROJECT
        names[:] = [
            name
            for name in names
            if not (name.startswith(".") and name != ".ci")
            and name != "__pycache__"
            and not name.endswith(".egg-info")
            and not (at_top and name in MADE_AT_RUN_TIME)
        ]
        for name in found:
            yield Path(folder) / name


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        for file in (PROJECT / package).rglob("*.py"):
            if "migrations" not in file.parts:
                yield file


def test_imports_go_down_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_modules_are_short() -> None:
    long = {str(file): length for file in modules() if (length := file.read_text("utf-8").count("\n")) > 500}
    assert long == {}


def test_modules_are_named_after_their_topic() -> None:
    assert [str(file) for file in modules() if NO_TOPIC & {file.stem, file.parent.name}] == []


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        # Written so that this file does not hold what it looks for.
        ("address of a package registry", r"p[y]pi\.(?:org|python)|python[h]osted\.org|registry\.n[p]mjs|index-u[r]l"),
        ("path of somebody's machine", r"(?<![\w.$}])/(?:ho[m]e|U[s]ers)/\w+|(?<![\w.$}])/ro[o]t/\w"),
        ("secret key in a URL", r"(?:postgres|mysql|amqp|redis)://\w+:(?!password@|guest@)[A-Za-z0-9]{20,}@"),
    ],
)
def test_no_file_names_a(what: str, pattern: str) -> None:
    wanted = re.compile(pattern)
    found = []
    for file in files():
        if file.suffix in TEXT and file.stat().st_size < 2_000_000:
            text = file.read_text(encoding="utf-8", errors="replace")
            found += [f"{file.relative_to(PROJECT)}: {match[0]}" for match in wanted.finditer(text)]
    assert found == [], what


def test_every_package_is_installed_by_the_project() -> None:
    listed = re.search(r"include = \[(.+?)\]", (PROJECT / "pyproject.toml").read_text("utf-8"))
    assert listed is not None
    assert set(re.findall(r'"(\w+)\*"', listed[1])) == set(PACKAGES)


def test_no_comment_postpones_work() -> None:
    postponed = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b")
    assert [str(file) for file in modules() if postponed.search(file.read_text("utf-8"))] == []

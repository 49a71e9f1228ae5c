"""Online reads beside Feast's server and a constant answer, under the same bounded load on loopback.

``python -m benchmarks.online`` prints the tables of docs/performance.md; ``--write`` puts them there. See
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.feast_environment import REPOSITORY, feast_interpreter
from benchmarks.history_data import Shape, feature_name, group_name, write_flat_files
from benchmarks.load import Load, Served, put_load_from_outside
from benchmarks.machine import this_machine
from benchmarks.own_store import PROJECT, make_store, manage, served, token_file
from benchmarks.report import shown_seconds, table, write_between
from benchmarks.servers import Server, free_port, serving

PAGE = PROJECT / "docs" / "performance.md"
_SHAPE = Shape(entities=10_000, events=2, groups=4, features=10)
_QUICK = Shape(entities=500, events=2, groups=4, features=10)
_BODIES = 200
_WORKERS = (1, 2)
_CONSTANT = "/constant"


@dataclass(frozen=True)
class Question:
    """Features of some groups for some entities at once."""

    title: str
    entities: int
    features: tuple[tuple[int, str], ...]
    """Group number and name."""


@dataclass(frozen=True)
class Figures:
    """Alone: one connection; crowd: many."""

    question: str
    contestant: str
    alone: Served
    crowd: Served


def _questions() -> list[Question]:
    one = tuple((0, feature_name(0, number)) for number in range(10))
    four = tuple((group, feature_name(group, number)) for group in range(4) for number in range(5))
    return [
        Question("1 entity × 10 features of 1 group", 1, one),
        Question("1 entity × 20 features of 4 groups", 1, four),
        Question("100 entities × 20 features of 4 groups", 100, four),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    shape = _QUICK if asked.quick else _SHAPE
    machine = this_machine()
    python = None if asked.feast_venv is None else feast_interpreter(asked.feast_venv)
    folder = Path(tempfile.mkdtemp(prefix="featurestore-benchmark-"))
    figures: list[Figures] = []
    try:
        write_flat_files(shape, folder)
        make_store(shape, folder)
        manage(folder, "materialize")
        for workers in _WORKERS:
            name = f"{workers} worker{'s' if workers > 1 else ''}"
            with _constant(folder, workers=workers) as server:
                figures += _load_all(f"a constant answer, {name}", server, _CONSTANT, asked, shape, ours=True)
            with served(folder, workers=workers) as server:
                headers = {"Authorization": f"Token {token_file(folder).read_text()}"}
                path = "/api/v1/features/batch"
                figures += _load_all(f"this store, {name}", server, path, asked, shape, ours=True, headers=headers)
            if python is not None:
                with _feast(folder, python, workers=workers) as server:
                    figures += _load_all(f"Feast, {name}", server, "/get-online-features", asked, shape, ours=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    busy = " **Other work was running on the machine: the figures are worse than they need be.**" * machine.busy
    text = "\n\n".join([f"Measured on {datetime.now(UTC):%Y-%m-%d} on {machine}.{busy}", *_tables(figures)])
    print(text)
    if asked.write:
        write_between(PAGE, name="online", text=text)


def _load_all(
    contestant: str,
    server: Server,
    path: str,
    asked: argparse.Namespace,
    shape: Shape,
    *,
    ours: bool,
    headers: dict[str, str] | None = None,
) -> list[Figures]:
    figures = []
    headers = {"Content-Type": "application/json", **(headers or {})}
    for question in _questions():
        bodies = _bodies(question, shape, ours=ours)
        if path != _CONSTANT:
            _check_answer(server, path, bodies[0], headers, question)
        served_to = []
        for connections in (1, asked.connections):
            plan = Load(
                port=server.port,
                path=path,
                bodies=bodies,
                headers=headers,
                connections=connections,
                requests=asked.requests,
                seconds=asked.seconds,
            )
            served_to.append(put_load_from_outside(plan))
        figures.append(Figures(question.title, contestant, *served_to))
        alone, crowd = served_to
        print(
            f"{question.title}, {contestant}: {alone.median * 1000:.1f} ms alone, {crowd.per_second:.0f}/s, "
            f"{alone.failed + crowd.failed} failed",
            file=sys.stderr,
            flush=True,
        )
    return figures


def _check_answer(server: Server, path: str, body: str, headers: dict[str, str], question: Question) -> None:
    """A server that answers nothing is fast: most of the values asked for have to be there."""
    request = urllib.request.Request(f"{server.address}{path}", body.encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = _floats(json.load(answer))
    wanted = question.entities * len(question.features)
    if found < wanted // 2:
        raise RuntimeError(f"{server.address}{path} answers {found} of {wanted} values")


def _floats(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(_floats, value.values()))
    if isinstance(value, list):
        return sum(map(_floats, value))
    return isinstance(value, float)


def _bodies(question: Question, shape: Shape, *, ours: bool) -> list[str]:
    choose = random.Random(shape.seed)
    bodies = []
    for _ in range(_BODIES):
        entities = choose.sample(range(shape.entities), question.entities)
        if ours:
            who = {"entity_id": entities[0]} if question.entities == 1 else {"entity_ids": entities}
            bodies.append(json.dumps({**who, "features": [name for _, name in question.features]}))
        else:
            features = [f"{group_name(group)}:{name}" for group, name in question.features]
            bodies.append(json.dumps({"entities": {"entity_id": entities}, "features": features}))
    return bodies


@contextmanager
def _constant(folder: Path, *, workers: int) -> Iterator[Server]:
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(workers), "--blocking-threads", "8", "--no-ws", "--log-level", "warning",
        "benchmarks.constant_site:application",
    ]  # fmt: skip
    with serving(command, port=port, ready=_CONSTANT, cwd=PROJECT, log=folder / "constant.log") as server:
        yield server


@contextmanager
def _feast(folder: Path, python: Path, *, workers: int) -> Iterator[Server]:
    repository = folder / REPOSITORY
    if not (repository / "feature_store.yaml").is_file():
        command = [str(python), "-m", "benchmarks.feast_online_side", str(folder)]
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=1_800)
    port = free_port()
    command = [
        str(python.parent / "feast"), "--chdir", str(repository), "serve", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(workers), "--no-access-log",
    ]  # fmt: skip
    with serving(command, port=port, ready="/health", cwd=repository, log=folder / "feast.log") as server:
        yield server


def _tables(figures: Sequence[Figures]) -> list[str]:
    parts = []
    for question in dict.fromkeys(figure.question for figure in figures):
        rows = [
            [
                figure.contestant,
                shown_seconds(figure.alone.median),
                shown_seconds(figure.alone.p99),
                f"{figure.crowd.per_second:,.0f}",
                shown_seconds(figure.crowd.p99),
                f"{figure.alone.failed + figure.crowd.failed}",
            ]
            for figure in figures
            if figure.question == question
        ]
        header = ["", "median alone", "99th percentile alone", "requests per second", "99th percentile then", "failed"]
        parts.append(f"**{question}**\n\n{table(header, rows)}")
    return parts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.online", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run, to see that everything works")
    parser.add_argument("--feast-venv", type=Path, help="environment with Feast; made there when it is not")
    parser.add_argument("--requests", type=int, default=2_000, help="requests of one load (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="seconds after which a load ends (%(default)s)")
    parser.add_argument("--connections", type=int, default=8, help="connections of the crowd (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(PROJECT)}")
    return parser


if __name__ == "__main__":
    main()

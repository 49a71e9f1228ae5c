"""Materialization beside Feast's: rows per second, memory, and what readers notice of it.

``python -m benchmarks.materialize`` prints the tables of docs/performance.md; ``--write`` puts them there. See
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

import pyarrow as pa

from benchmarks import online_servers
from benchmarks.feast_environment import feast_interpreter
from benchmarks.history_data import Shape, feature_name, group_name, history_of, next_history, write_flat_files
from benchmarks.machine import this_machine
from benchmarks.materialize_report import Measured, report
from benchmarks.materialized import Materialized, Materializing, materializing
from benchmarks.online_questions import FEAST_CALL, OWN_CALL
from benchmarks.own_store import PROJECT, environment, make_store, served, token_file
from benchmarks.reading_meanwhile import Question, ReadingPlan, Readings, reading
from benchmarks.report import write_between
from benchmarks.scratch_folder import folder_of_run
from benchmarks.scratch_services import scratch_database, scratch_redis

PAGE = PROJECT / "docs" / "performance.md"
OWN, POSTGRESQL, REDIS, FEAST = "own", "own_postgresql", "own_redis", "feast"
_TITLES = {
    OWN: "this store, SQLite",
    POSTGRESQL: "this store, PostgreSQL",
    REDIS: "this store, Redis",
    FEAST: "Feast, SQLite",
}
_QUESTIONS = 400
_SETTLING_SECONDS = 2.0


@dataclass
class _Asked:
    """What the command line asks for."""

    shape: Shape
    feast_shape: Shape
    turns: int
    idle_seconds: float
    only: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    entities, feast_entities = (2_000, 500) if options.quick else (options.entities, options.feast_entities)
    asked = _Asked(
        shape=Shape(entities=entities, events=1, features=options.features),
        feast_shape=Shape(entities=feast_entities, events=1, features=options.features),
        turns=options.turns,
        idle_seconds=1.0 if options.quick else options.idle_seconds,
        only=options.only,
    )
    machine = this_machine()
    found: list[Measured] = []
    with folder_of_run(options.folder) as folder, ExitStack() as services:
        for name in asked.only:
            if name == FEAST and options.feast_venv is None:
                continue
            place = folder / name
            if name == FEAST:
                found.append(_feast(place, feast_interpreter(options.feast_venv), asked))
            else:
                database = services.enter_context(scratch_database(options.postgresql)) if name == POSTGRESQL else None
                redis = services.enter_context(scratch_redis(options.redis)) if name == REDIS else None
                found.append(_own(_TITLES[name], place, asked, database=database, online_store=redis))
            print(found[-1].line(), file=sys.stderr, flush=True)
    text = report(found, machine=machine, shape=asked.shape)
    print(text)
    if options.write:
        write_between(PAGE, name="materialize", text=text)


def _own(title: str, folder: Path, asked: _Asked, *, database: str | None, online_store: str | None) -> Measured:
    shape = asked.shape
    write_flat_files(shape, folder)
    make_store(shape, folder, database=database, online_store=online_store)
    with _own_process(folder, shape, turn=0) as process:
        process.begin()
        first = process.result()
    _check_rows(title, first, shape)
    with served(folder) as server:
        time.sleep(_SETTLING_SECONDS)
        headers = {"Authorization": f"Token {token_file(folder).read_text()}", "Content-Type": "application/json"}
        idle, meanwhile, later = Readings(), Readings(), []
        for turn in range(1, asked.turns + 1):
            plan = ReadingPlan(server.port, OWN_CALL, headers, _own_questions(shape, turn))
            with _own_process(folder, shape, turn=turn) as process:
                idle.add(_read_for(plan, asked.idle_seconds))
                with reading(plan) as reader:
                    time.sleep(0.3)
                    process.begin()
                    later.append(process.result())
                    time.sleep(0.3)
                    meanwhile.add(reader.stop())
            _check_rows(title, later[-1], shape)
    return Measured(title, first, later, idle, meanwhile)


@contextmanager
def _own_process(folder: Path, shape: Shape, *, turn: int) -> Iterator[Materializing]:
    command = [sys.executable, "-m", "benchmarks.own_materializing"]
    command += [str(number) for number in (shape.entities, shape.features, turn)]
    log = folder / "materializing.log"
    with materializing(command, cwd=PROJECT, log=log, environment=environment(folder)) as process:
        yield process


def _feast(folder: Path, python: Path, asked: _Asked) -> Measured:
    """Feast overwrites what is online in any case, so the second time is the same work as the first."""
    shape = asked.feast_shape
    write_flat_files(shape, folder)
    command = [str(python), "-m", "benchmarks.feast_materializing", str(folder)]
    log = folder / "materializing.log"
    with materializing(command, cwd=PROJECT, log=log) as process:
        process.begin()
        first = process.result()
    _check_rows(_TITLES[FEAST], first, shape)
    contestant = online_servers.feast(folder, python)
    with contestant.serve(1) as server, materializing(command, cwd=PROJECT, log=log) as process:
        headers = {"Content-Type": "application/json"}
        plan = ReadingPlan(server.port, FEAST_CALL, headers, _feast_questions(shape))
        _expect_values(f"{server.address}{FEAST_CALL}", plan)
        idle = _read_for(plan, asked.idle_seconds)
        with reading(plan) as reader:
            process.begin()
            again = process.result()
            meanwhile = reader.stop()
    return Measured(_TITLES[FEAST], first, [again], idle, meanwhile)


def _read_for(plan: ReadingPlan, seconds: float) -> Readings:
    # Idle: only the old rows are there, and an answer with the new ones would be as wrong as any other.
    with reading(plan) as reader:
        time.sleep(seconds)
        return reader.stop()


def _check_rows(title: str, done: Materialized, shape: Shape) -> None:
    expected = shape.groups * shape.entities
    if done.rows != expected:
        raise RuntimeError(f"{title} materialized {done.rows} rows instead of {expected}")


def _own_questions(shape: Shape, turn: int) -> list[Question]:
    """All features of a group for one entity each, with the whole row of before and of after."""
    chosen = random.Random(turn)
    questions = []
    for group in range(shape.groups):
        before = history_of(shape, group) if turn == 1 else next_history(shape, group, turn - 1)
        after = next_history(shape, group, turn)
        names = [feature_name(group, number) for number in range(shape.features)]
        for at in chosen.sample(range(shape.entities), min(shape.entities, _QUESTIONS // shape.groups)):
            body = json.dumps({"entity_id": before.column("entity_id")[at].as_py(), "features": names})
            questions.append(Question(body, [_row(before, at, names), _row(after, at, names)]))
    chosen.shuffle(questions)
    return questions


def _row(table: pa.Table, at: int, names: Sequence[str]) -> list[float | None]:
    return [table.column(name)[at].as_py() for name in names]


def _feast_questions(shape: Shape) -> list[Question]:
    chosen = random.Random(0)
    questions = []
    for number in range(_QUESTIONS):
        group = number % shape.groups
        features = [f"{group_name(group)}:{feature_name(group, number)}" for number in range(shape.features)]
        body = {"entities": {"entity_id": [chosen.randrange(shape.entities)]}, "features": features}
        questions.append(Question(json.dumps(body)))
    return questions


def _expect_values(address: str, plan: ReadingPlan) -> None:
    request = Request(address, plan.questions[0].body.encode(), plan.headers, method="POST")
    with urlopen(request, timeout=30) as answer:
        statuses = [status for result in json.load(answer)["results"] for status in result["statuses"]]
    if statuses.count("PRESENT") < len(statuses) // 2:
        raise RuntimeError(f"{address} answers {statuses}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.materialize", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run, to see that everything works")
    parser.add_argument("--folder", type=Path, help="keep the data there; by default it is removed")
    parser.add_argument("--feast-venv", type=Path, help="environment with Feast; made there when it is not")
    parser.add_argument("--entities", type=int, default=100_000, help="of each of 4 groups (%(default)s)")
    parser.add_argument("--feast-entities", type=int, default=25_000, help="the same for Feast (%(default)s)")
    parser.add_argument("--features", type=int, default=25, help="of each group (%(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="materializations beside a reader (%(default)s)")
    parser.add_argument("--idle-seconds", type=float, default=4, help="reading without one, each turn (%(default)s)")
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1:5432/postgres", metavar="URL")
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/14", metavar="URL", help="an empty database")
    parser.add_argument("--only", nargs="+", default=list(_TITLES), choices=_TITLES, metavar="NAME")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(PROJECT)}")
    return parser


if __name__ == "__main__":
    main()

"""Online reads beside Feast's server and a constant answer, under the same bounded load on loopback.

``python -m benchmarks.online`` prints the tables of docs/performance.md; ``--write`` puts them there. See
benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import online_servers
from benchmarks.feast_environment import feast_interpreter
from benchmarks.history_data import Shape, group_name, write_flat_files
from benchmarks.load import OWN as OWN_GENERATOR
from benchmarks.load import WRK, Load, Served, generator, put_load_from_outside
from benchmarks.machine import this_machine
from benchmarks.measured_memory import memory_now
from benchmarks.online_draws import AskedBefore, drawn
from benchmarks.online_plan import Asking, askings_of, expected_minutes, seconds_of, workers_of
from benchmarks.online_questions import FEAST_CALL, Question, bodies, check_answer, questions
from benchmarks.online_report import report, summary
from benchmarks.online_results import Figures, Key, Lookup, Memory, load_figures
from benchmarks.online_servers import Contestant
from benchmarks.own_store import PROJECT, environment, more_catalog
from benchmarks.report import write_between
from benchmarks.scratch_folder import folder_of_run
from benchmarks.scratch_services import scratch_database, scratch_redis
from benchmarks.servers import Server

PAGE = PROJECT / "docs" / "performance.md"
# The first worker answers before the others have started.
_SETTLING_SECONDS = 3.0
_SHAPE = Shape(entities=100_000, events=2, groups=4, features=25)
_QUICK = replace(_SHAPE, entities=500)
# What is taken where nothing is said, and with --quick.
_USUAL = {"workers": ([1, 2], [2]), "connections": ([1, 8, 32], [8]), "seconds": (3.0, 1.0)}


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    for option, (usual, quick) in _USUAL.items():
        if getattr(asked, option) is None:
            setattr(asked, option, quick if asked.quick else usual)
    shape = _QUICK if asked.quick else replace(_SHAPE, entities=asked.entities)
    figures = Figures() if asked.figures is None else load_figures([asked.figures])
    figures.notes["machine"] = _setting(shape, asked)
    minutes = expected_minutes(
        asked.only, shape=shape, workers=asked.workers, connections=asked.connections, seconds=asked.seconds
    )
    _say(f"about {math.ceil(minutes)} minutes")
    with folder_of_run(asked.folder) as kept:
        # Stores of another shape, kept there by an earlier run, stay beside.
        folder = kept / f"{shape.entities}_entities_{shape.features}_features"
        folder.mkdir(exist_ok=True)
        for contestant in _contestants(folder, shape, asked):
            for workers in workers_of(contestant.name, asked.workers):
                _measure(figures, contestant, workers, shape, asked)
                if asked.figures is not None:
                    figures.save(asked.figures)
        if "bare" in asked.only:
            figures.lookups |= _bare_lookups(folder / "sqlite")
    figures.notes["generator"] = _generator_note(figures, asked)
    if asked.figures is not None:
        figures.save(asked.figures)
    text = report(figures)
    print(text)
    if asked.write:
        write_between(PAGE, name="online", text=text)


def _contestants(folder: Path, shape: Shape, asked: argparse.Namespace) -> Iterator[Contestant]:
    """Those asked for, one after the other; what a contestant needs is there while it is measured."""
    store = folder / "sqlite"
    online_servers.fill_store(shape, store)
    if online_servers.CONSTANT in asked.only:
        yield online_servers.constant(store)
    for name in (online_servers.OWN, online_servers.OWN_NOTHING_KEPT):
        if name in asked.only:
            yield online_servers.own(name, store)
    if online_servers.OWN_MORE in asked.only:
        other = folder / "more"
        online_servers.fill_store(shape, other)
        more_catalog(other, groups=asked.more_groups, features=asked.more_features)
        yield online_servers.own(online_servers.OWN_MORE, other)
    if online_servers.OWN_FEAST_CALL in asked.only:
        yield online_servers.own(online_servers.OWN_FEAST_CALL, store, call=FEAST_CALL)
    if online_servers.OWN_POSTGRESQL in asked.only:
        with scratch_database(asked.postgresql) as address:
            other = folder / "postgresql"
            online_servers.fill_store(shape, other, database=address)
            yield online_servers.own(online_servers.OWN_POSTGRESQL, other)
    if online_servers.OWN_REDIS in asked.only:
        with scratch_redis(asked.redis) as address:
            other = folder / "redis"
            online_servers.fill_store(shape, other, online_store=address)
            yield online_servers.own(online_servers.OWN_REDIS, other)
    if online_servers.FEAST in asked.only and asked.feast_venv is not None:
        write_flat_files(shape, folder / "feast")
        yield online_servers.feast(folder / "feast", feast_interpreter(asked.feast_venv))


def _measure(figures: Figures, contestant: Contestant, workers: int, shape: Shape, asked: argparse.Namespace) -> None:
    """Each order of entities by a server of its own, which knows none of them; memory is that of the first."""
    for number, asking in enumerate(askings_of(contestant.name, workers, of=asked.workers)):
        with contestant.serve(workers) as server:
            headers = {"Content-Type": "application/json", **contestant.headers()}
            _check_answers(server, contestant, asking, shape, headers)
            time.sleep(_SETTLING_SECONDS)
            idle = memory_now(server.pid)
            # Questions with the same features are answered from the same values, whichever entities they are for.
            before: defaultdict[object, AskedBefore] = defaultdict(lambda: AskedBefore(shape))
            for question in asking.questions:
                plan = Load(
                    port=server.port,
                    path=contestant.path(question),
                    bodies=_bodies(question, shape, asking.order, contestant.call),
                    headers=headers,
                    connections=1,
                    requests=asked.requests,
                    seconds=seconds_of(question, asked.seconds),
                )
                asks = drawn(shape, asking.order, question.entities)
                found = _loads(plan, asks, before[question.features], asked)
                for connections, served in zip(asked.connections, found, strict=True):
                    key = Key(contestant.name, workers, asking.order, question.name, connections)
                    figures.served[key] = served
                _say(f"{contestant.name}, {workers} w, {question.name}, {asking.order}: {summary(found)}")
            after = memory_now(server.pid)
            # Had the rows gone away under the load, it would have been fast for that.
            _check_answers(server, contestant, asking, shape, headers)
        if number == 0:
            figures.memory[contestant.name, workers] = Memory(
                worker_idle=idle.worker,
                worker_after=after.worker,
                anonymous_after=after.anonymous,
                all_idle=idle.together,
                all_after=after.together,
            )


def _check_answers(
    server: Server, contestant: Contestant, asking: Asking, shape: Shape, headers: Mapping[str, str]
) -> None:
    if contestant.constant:
        return
    for question in asking.questions:
        body = _bodies(question, shape, asking.order, contestant.call)[0]
        check_answer(server, contestant.path(question), body, headers, question)


def _loads(plan: Load, asks: NDArray[np.int64], before: AskedBefore, asked: argparse.Namespace) -> list[Served]:
    """One load per number of connections; each goes on with the requests where the one before ended."""
    found: list[Served] = []
    sent = 0
    for connections in asked.connections:
        served = put_load_from_outside(replace(plan, connections=connections, sent=sent), by=asked.generator)
        before.ask(asks, first=sent, requests=served.warm_up)
        sent += served.warm_up
        found.append(replace(served, again=before.ask(asks, first=sent, requests=served.requests)))
        sent += served.requests
    return found


@cache
def _bodies(question: Question, shape: Shape, order: str, call: str) -> list[str]:
    return bodies(question, shape, order=order, call=call)


def _bare_lookups(folder: Path) -> dict[str, Lookup]:
    """Every question asked of the SQLite file by itself, in a process of its own."""
    wanted = {}
    for question in questions():
        columns: dict[str, list[str]] = {}
        for group, name in question.features:
            columns.setdefault(group_name(group), []).append(f"{name}_v1")
        wanted[question.name] = [question.entities, columns]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare_lookup"],
        cwd=PROJECT, env=environment(folder), input=json.dumps(wanted), capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the bare lookup failed:\n{done.stderr}")
    return {name: Lookup(*seconds) for name, seconds in json.loads(done.stdout).items()}


def _setting(shape: Shape, asked: argparse.Namespace) -> str:
    machine = this_machine()
    busy = " **Other work was running on the machine: the figures are worse than they need be.**" * machine.busy
    more = (
        f" “{online_servers.TITLES[online_servers.OWN_MORE]}”: {asked.more_features:,} features in "
        f"{asked.more_groups:,} groups are registered beside them."
        if online_servers.OWN_MORE in asked.only
        else ""
    )
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {machine}.{busy} {shape.entities:,} entities × {shape.groups} "
        f"groups × {shape.features} features; {asked.seconds:g} seconds a load.{more}"
    )


def _generator_note(figures: Figures, asked: argparse.Namespace) -> str:
    most = max((found.share for found in figures.served.values()), default=0.0)
    failed = " and ".join(f"{count:,} of {online_servers.TITLES[name]}" for name, count in figures.failed().items())
    return (
        f"The load comes from {asked.generator} on the same cores, which took {most:.0%} of one of them at most. "
        f"Requests that failed: {failed or 'none'}."
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    usual = [
        "bare", online_servers.CONSTANT, online_servers.OWN, online_servers.OWN_NOTHING_KEPT, online_servers.FEAST,
    ]  # fmt: skip
    parser = argparse.ArgumentParser(prog="python -m benchmarks.online", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few entities, to see that everything works")
    parser.add_argument("--entities", type=int, default=_SHAPE.entities, help="(%(default)s)")
    parser.add_argument("--feast-venv", type=Path, help="environment with Feast; made there when it is not")
    parser.add_argument("--folder", type=Path, help="keep the stores here, for the next run; default: a temporary one")
    parser.add_argument("--figures", type=Path, help="keep every figure in this file, beside those of earlier runs")
    parser.add_argument("--only", nargs="*", default=usual, choices=["bare", *online_servers.TITLES],
                        metavar="NAME", help=f"of {', '.join(['bare', *online_servers.TITLES])}; default: "
                        f"{', '.join(usual)}")  # fmt: skip
    parser.add_argument("--workers", type=int, nargs="+", help="worker processes (default: 1 2; quick: 2)")
    parser.add_argument("--connections", type=int, nargs="+", help="default: 1 8 32; quick: 8")
    parser.add_argument("--seconds", type=float, help="seconds of one load (default: 3; quick: 1)")
    parser.add_argument("--requests", type=int, default=2_000, help="our own generator: most requests of one load")
    parser.add_argument("--generator", choices=[WRK, OWN_GENERATOR], default=generator(), help="default: %(default)s")
    parser.add_argument("--more-features", type=int, default=5_000, help="of own_more (%(default)s)")
    parser.add_argument("--more-groups", type=int, default=500, help="of own_more (%(default)s)")
    parser.add_argument("--postgresql", default="postgres://postgres@127.0.0.1:5432/postgres", metavar="ADDRESS",
                        help="a server where a database may be made (%(default)s)")  # fmt: skip
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/14", metavar="ADDRESS",
                        help="an empty database of a server (%(default)s)")  # fmt: skip
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(PROJECT)}")
    return parser


if __name__ == "__main__":
    main()

"""The servers of the online benchmark, each from when it answers until the end of its block."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.feast_environment import REPOSITORY
from benchmarks.history_data import Shape, write_flat_files
from benchmarks.online_questions import FEAST_CALL, OWN_CALL, Question
from benchmarks.own_store import PROJECT, environment, make_store, manage, served, store_folder, token_file
from benchmarks.servers import Server, free_port, serving

CONSTANT, OWN, OWN_NOTHING_KEPT, OWN_MORE, FEAST = "constant", "own", "own_nothing_kept", "own_more", "feast"
OWN_FEAST_CALL, OWN_POSTGRESQL, OWN_REDIS = "own_feast_call", "own_postgresql", "own_redis"

# In the order of the tables.
TITLES = {
    CONSTANT: "a constant answer",
    OWN: "this store",
    OWN_NOTHING_KEPT: "this store, no answers kept",
    OWN_MORE: "this store, with many more features",
    OWN_FEAST_CALL: "this store, by Feast's call",
    OWN_POSTGRESQL: "this store on PostgreSQL",
    OWN_REDIS: "this store on Redis",
    FEAST: "Feast",
}
_NO_ANSWERS_KEPT: Mapping[str, Mapping[str, object]] = {"feature_store": {"cache_enabled": False}}


@dataclass(frozen=True)
class Contestant:
    """``serve`` starts the server with so many workers; ``path`` is where it answers a question."""

    name: str
    serve: Callable[[int], AbstractContextManager[Server]]
    path: Callable[[Question], str]
    headers: Callable[[], dict[str, str]]
    call: str = OWN_CALL
    constant: bool = False


def constant(folder: Path) -> Contestant:
    """The ceiling: a constant of the answer's length, by the web server of the store in ``folder``."""
    return Contestant(
        CONSTANT,
        serve=partial(_constant, folder),
        path=lambda question: f"/constant/{question.values}",
        headers=dict,
        constant=True,
    )


def own(name: str, folder: Path, *, call: str = OWN_CALL) -> Contestant:
    """The store in ``folder``, as a reader with a token sees it."""
    settings = _NO_ANSWERS_KEPT if name == OWN_NOTHING_KEPT else None
    return Contestant(
        name,
        serve=lambda workers: served(folder, workers=workers, settings=settings),
        path=lambda _: call,
        headers=lambda: {"Authorization": f"Token {token_file(folder).read_text()}"},
        call=call,
    )


def feast(folder: Path, python: Path) -> Contestant:
    """``feast serve`` over its SQLite online store, filled from the same files."""
    return Contestant(
        FEAST, serve=partial(_feast, folder, python), path=lambda _: FEAST_CALL, headers=dict, call=FEAST_CALL
    )


def fill_store(shape: Shape, folder: Path, *, database: str | None = None, online_store: str | None = None) -> None:
    """A store in ``folder`` whose newest values are online, in the database and online store of these addresses.

    What lies at an address is a run's own, so a store that was kept in the folder does not go with it.
    """
    if database is not None or online_store is not None:
        shutil.rmtree(store_folder(folder), ignore_errors=True)
    write_flat_files(shape, folder)
    make_store(shape, folder, database=database, online_store=online_store)
    manage(folder, "materialize")


@contextmanager
def _constant(folder: Path, workers: int) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.constant_server", str(port), str(workers)]
    variables = environment(folder)
    log = folder / "constant.log"
    with serving(
        command, port=port, ready="/constant/1", cwd=PROJECT, log=log, environment=variables
    ) as server:  # fmt: skip
        yield server


@contextmanager
def _feast(folder: Path, python: Path, workers: int) -> Iterator[Server]:
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

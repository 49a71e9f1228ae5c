"""A scratch store of the product: where it lies, how it is declared, and the processes that work in it.

Nothing here imports the product: it is started as its users start it, in processes of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.history_data import Shape, feature_name, group_name
from benchmarks.servers import Server, free_port, serving

PROJECT = Path(__file__).resolve().parents[1]
JOIN_KEY = "entity_id"
_STORE = "store"
_TOKEN = "token"
_CONFIGURATION = "config.yaml"


def store_folder(folder: Path) -> Path:
    return folder / _STORE


def token_file(folder: Path) -> Path:
    return store_folder(folder) / _TOKEN


def environment(folder: Path) -> dict[str, str]:
    """The environment in which the product finds the scratch store, and no other settings of this machine."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FEATURESTORE_", "DATABASE_URL", "CELERY_BROKER_URL"))
    }
    return {
        **kept,
        "FEATURESTORE_DATA_DIR": str(store_folder(folder)),
        "FEATURESTORE_CONFIG": str(store_folder(folder) / _CONFIGURATION),
        "DJANGO_SETTINGS_MODULE": "featurestore_site.settings",
    }


def make_store(shape: Shape, folder: Path, *, commits: int = 1) -> None:
    """Make, migrate and declare the store, and append the histories of the flat files in so many commits each.

    A store that was made before with as many commits stays as it is; another one is made anew.
    """
    done = store_folder(folder) / f"{commits}_commits"
    if done.is_file():
        return
    shutil.rmtree(store_folder(folder), ignore_errors=True)
    store_folder(folder).mkdir(parents=True)
    # JSON is YAML.
    (store_folder(folder) / _CONFIGURATION).write_text(json.dumps(_configuration(shape)))
    manage(folder, "migrate", "--verbosity", "0")
    manage(folder, "apply")
    run(folder, "benchmarks.own_writer", str(folder), str(commits))
    done.touch()


@contextmanager
def served(folder: Path, *, workers: int = 1) -> Iterator[Server]:
    """The store behind ``manage.py serve`` on loopback; ended afterwards."""
    configuration = json.loads((store_folder(folder) / _CONFIGURATION).read_text())
    file = store_folder(folder) / f"config_{workers}_workers.yaml"
    file.write_text(json.dumps({**configuration, "serving": {"workers": workers}}))
    port = free_port()
    command = [sys.executable, str(PROJECT / "manage.py"), "serve", "--no-worker", "--port", str(port)]
    variables = environment(folder) | {"FEATURESTORE_CONFIG": str(file)}
    log = folder / "serve.log"
    with serving(command, port=port, ready="/api/v1/health", cwd=PROJECT, log=log, environment=variables) as server:
        yield server


def manage(folder: Path, *arguments: str) -> None:
    """Run a command of ``manage.py`` in the store."""
    _run([sys.executable, str(PROJECT / "manage.py"), *arguments], folder)


def run(folder: Path, module: str, *arguments: str) -> None:
    """Run a module in the store."""
    _run([sys.executable, "-m", module, *arguments], folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=PROJECT, env=environment(folder), capture_output=True, text=True, timeout=3_600, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stdout}{done.stderr}")


def _configuration(shape: Shape) -> dict[str, object]:
    return {
        "entities": {"customer": {"join_keys": [JOIN_KEY]}},
        "features": {
            group_name(group): {
                "source_table": group_name(group),
                "entity": "customer",
                "timestamp_column": "event_timestamp",
                "created_column": "created_timestamp",
                "features": [
                    {"name": feature_name(group, number), "type": "float"} for number in range(shape.features)
                ],
            }
            for group in range(shape.groups)
        },
    }

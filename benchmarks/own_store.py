"""A scratch store of the product: where it lies, how it is declared, and the processes that work in it.

Nothing here imports the product: it is started as its users start it, in processes of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.history_data import Shape, feature_name, group_name
from benchmarks.servers import Server, free_port, serving

PROJECT = Path(__file__).resolve().parents[1]
JOIN_KEY = "entity_id"
_STORE = "store"
_TOKEN = "token"
_CONFIGURATION = "config.yaml"
_DATABASE = "database_url"


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
    database = store_folder(folder) / _DATABASE
    return {
        **kept,
        **({"DATABASE_URL": database.read_text()} if database.is_file() else {}),
        "FEATURESTORE_DATA_DIR": str(store_folder(folder)),
        "FEATURESTORE_CONFIG": str(store_folder(folder) / _CONFIGURATION),
        "DJANGO_SETTINGS_MODULE": "featurestore_site.settings",
    }


def make_store(
    shape: Shape, folder: Path, *, commits: int = 1, database: str | None = None, online_store: str | None = None
) -> None:
    """Make, migrate and declare the store, and append the histories of the flat files in so many commits each.

    A store that was made before with as many commits keeps its rows; another one is made anew. ``database`` and
    ``online_store`` are addresses of others than the SQLite file.
    """
    done = store_folder(folder) / f"{commits}_commits"
    if done.is_file():
        manage(folder, "migrate", "--verbosity", "0")
        return
    shutil.rmtree(store_folder(folder), ignore_errors=True)
    store_folder(folder).mkdir(parents=True)
    if database is not None:
        (store_folder(folder) / _DATABASE).write_text(database)
    configuration = _configuration(shape)
    if online_store is not None:
        configuration["feature_store"] = {"online_store": online_store}
    _write_configuration(folder, configuration)
    manage(folder, "migrate", "--verbosity", "0")
    manage(folder, "apply")
    run(folder, "benchmarks.own_writer", str(folder), str(commits))
    done.touch()


@contextmanager
def served(
    folder: Path, *, workers: int = 1, settings: Mapping[str, Mapping[str, object]] | None = None
) -> Iterator[Server]:
    """The store behind ``manage.py serve`` on loopback, with these settings by section besides; ended afterwards."""
    configuration = _read_configuration(folder)
    for section, keys in (*(settings or {}).items(), ("serving", {"workers": workers})):
        configuration[section] = {**configuration.get(section, {}), **keys}
    file = store_folder(folder) / "served.yaml"
    file.write_text(json.dumps(configuration))
    port = free_port()
    command = [sys.executable, str(PROJECT / "manage.py"), "serve", "--no-worker", "--port", str(port)]
    variables = environment(folder) | {"FEATURESTORE_CONFIG": str(file)}
    log = folder / "serve.log"
    with serving(command, port=port, ready="/api/v1/health", cwd=PROJECT, log=log, environment=variables) as server:
        yield server


def more_catalog(folder: Path, *, groups: int, features: int) -> None:
    """Register so many more groups and features, of which nothing was ever ingested."""
    configuration = _read_configuration(folder)
    per_group, over = divmod(features, groups)
    for group in range(groups):
        names = [f"more_{group}_{number}" for number in range(per_group + (group < over))]
        configuration["features"][f"more_{group}"] = _group(f"more_{group}", names)
    _write_configuration(folder, configuration)
    manage(folder, "apply")


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


def _read_configuration(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store_folder(folder) / _CONFIGURATION).read_text())
    return found


def _write_configuration(folder: Path, configuration: dict[str, Any]) -> None:
    # JSON is YAML.
    (store_folder(folder) / _CONFIGURATION).write_text(json.dumps(configuration))


def _configuration(shape: Shape) -> dict[str, Any]:
    return {
        "entities": {"customer": {"join_keys": [JOIN_KEY]}},
        "features": {
            group_name(group): _group(
                group_name(group), [feature_name(group, number) for number in range(shape.features)]
            )
            for group in range(shape.groups)
        },
        # Callers are counted, as they are where it matters; no load comes near the limit.
        "security": {"rate_limiting": {"enabled": True, "requests_per_minute": 100_000_000}},
    }


def _group(name: str, features: Sequence[str]) -> dict[str, Any]:
    return {
        "source_table": name,
        "entity": "customer",
        "timestamp_column": "event_timestamp",
        "created_column": "created_timestamp",
        "features": [{"name": feature, "type": "float"} for feature in features],
    }

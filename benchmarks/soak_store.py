"""The store of the soak: groups that are ingested from a warehouse whose rows keep changing."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.own_store import PROJECT, environment, manage, store_folder
from benchmarks.servers import Server, free_port, serving

ENTITIES = 500
FEATURES = 5
MOVING = ("moving_a", "moving_b")
# One group per thing that is edited.
AGED, CLOSED, GRANTED, SPARSE = "aged", "closed", "granted", "sparse"
GROUPS = (*MOVING, AGED, CLOSED, GRANTED, SPARSE)
_START = datetime(2025, 1, 1, tzinfo=UTC)
_NOBODY = ENTITIES + 1


def feature(group: str, number: int) -> str:
    return f"{group}_{number}"


def value(revision: int, number: int) -> float:
    """What feature ``number`` of every entity is in a revision, so that a half-written row shows."""
    return revision * 10.0 + number


def revision_of(values: list[Any]) -> int | None:
    """The revision that a row's values are of; None when they are of none, or of several."""
    if not values or not all(isinstance(found, float) for found in values):
        return None
    revision = int(values[0] // 10)
    return revision if values == [value(revision, number) for number in range(len(values))] else None


def write_revision(folder: Path, group: str, revision: int) -> None:
    """Give every source row of the group the values of this revision, with a newer time."""
    stamp = (_START + timedelta(seconds=revision)).isoformat()
    row = [value(revision, number) for number in range(FEATURES)]
    columns = ", ".join(f"f{number}" for number in range(FEATURES))
    places = ", ".join("?" * (FEATURES + 2))
    with closing(sqlite3.connect(_warehouse(folder), timeout=30)) as warehouse, warehouse:
        warehouse.execute(
            f"CREATE TABLE IF NOT EXISTS {group} (customer_id INTEGER PRIMARY KEY, last_updated TEXT, {columns})"
        )
        warehouse.executemany(
            f"INSERT OR REPLACE INTO {group} (customer_id, last_updated, {columns}) VALUES ({places})",
            [(entity, stamp, *row) for entity in range(ENTITIES)],
        )


def make_soak_store(folder: Path, *, workers: int) -> None:
    """A store with every group ingested once, at revision 1."""
    shutil.rmtree(store_folder(folder), ignore_errors=True)
    store_folder(folder).mkdir(parents=True)
    for group in GROUPS:
        write_revision(folder, group, 1)
    declare(folder, workers=workers, default=0.0)
    manage(folder, "migrate", "--verbosity", "0")
    manage(folder, "apply")
    manage(folder, "ingest")


def declare(folder: Path, *, workers: int, default: float) -> None:
    """Write the configuration; ``default`` stands in for the features of the group that is sparse."""
    configuration = {
        "input_sources": {"step6_datawarehouse": str(_warehouse(folder))},
        "entities": {"customer": {"join_keys": ["customer_id"]}},
        "features": {group: _group(group, default=default if group == SPARSE else None) for group in GROUPS},
        "serving": {"workers": workers},
        "security": {"rate_limiting": {"enabled": True, "requests_per_minute": 100_000_000}},
        "integration": {"upstream": {"step6_required": False, "validate_step6_outputs": False}},
    }
    # JSON is YAML.
    Path(environment(folder)["FEATURESTORE_CONFIG"]).write_text(json.dumps(configuration))


@contextmanager
def soak_server(folder: Path) -> Iterator[Server]:
    """``manage.py serve`` with its worker and scheduler."""
    port = free_port()
    command = [sys.executable, str(PROJECT / "manage.py"), "serve", "--port", str(port)]
    with serving(
        command, port=port, ready="/api/v1/health", cwd=PROJECT, log=folder / "serve.log",
        environment=environment(folder),
    ) as server:  # fmt: skip
        yield server


def _group(name: str, *, default: float | None) -> Mapping[str, object]:
    return {
        "source_table": name,
        "entity": "customer",
        "timestamp_column": "last_updated",
        "max_age": None,
        "sensitivity": "personal" if name == GRANTED else "internal",
        "features": [
            {
                "name": feature(name, number),
                "type": "float",
                "source_column": f"f{number}",
                **({} if default is None else {"default": default}),
                **({"mask": "null"} if name in (CLOSED, GRANTED) else {}),
            }
            for number in range(FEATURES)
        ],
    }


def _warehouse(folder: Path) -> Path:
    return folder / "warehouse.db"


def nobody() -> int:
    """An entity without a row, of which only defaults are answered."""
    return _NOBODY

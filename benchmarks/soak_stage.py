"""What the actors of the soak share: the server and the hands, the laws, the counts and the faults."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests

from benchmarks.own_store import PROJECT, environment
from benchmarks.soak_laws import Law
from benchmarks.soak_store import MOVING

BATCH = "/api/v1/features/batch"
FEAST = "/get-online-features"
GRACE = 1.0
"""Seconds within which an edit is in force in every process."""
_CALL_SECONDS = 60.0
_MOST_FAULTS = 20


class Hands:
    """The process that makes the edits (:mod:`benchmarks.soak_hands`); one edit at a time."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.soak_hands"], cwd=PROJECT, env=environment(folder), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(folder / "hands.log").open("w"),
        )  # fmt: skip

    def do(self, what: str, **needed: Any) -> Any:
        """Make one edit; the answer comes when it is committed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"do": what, **needed}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{what} could not be done; hands.log in the folder of the soak says why")
        return json.loads(line)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)


class Soak:
    """What all actors share: the server, the laws, the counts and the faults."""

    def __init__(self, *, address: str, folder: Path, hands: Hands, workers: int) -> None:
        self.address = address
        self.folder = folder
        self.hands = hands
        self.workers = workers
        self.stop = threading.Event()
        # Applying the configuration puts back what was edited by hand and is declared otherwise.
        self.as_declared = threading.Lock()
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.rows = {group: Law(f"rows of {group}", grace=0.0) for group in MOVING}
        self.age = Law("max age", grace=GRACE)
        self.mask = Law("mask", grace=GRACE)
        self.granted = Law("grant", grace=GRACE)
        self.default = Law("default", grace=GRACE)
        self.role = Law("role", grace=GRACE)
        self.tokens = Law("revoked tokens", grace=GRACE)
        for law, first in (
            *((law, 1) for law in self.rows.values()),
            (self.age, "PRESENT"),
            (self.mask, "PRESENT"),
            (self.granted, "MASKED"),
            (self.default, 0.0),
            (self.role, 200),
        ):
            law.begin(first)
            law.acknowledge()

    @property
    def laws(self) -> list[Law]:
        return [*self.rows.values(), self.age, self.mask, self.granted, self.default, self.role, self.tokens]

    def fault(self, text: str | None) -> None:
        """Note what is wrong; the soak goes on, so that all of it is told."""
        if text is not None:
            self.counts["faults"] += 1
            if len(self.faults) < _MOST_FAULTS:
                self.faults.append(text)

    def run(self, actor: Callable[[Soak], None]) -> threading.Thread:
        """Start an actor; one that dies is a fault."""

        def work() -> None:
            try:
                actor(self)
            except Exception as error:  # noqa: BLE001  (whatever it is, the soak reports it)
                self.fault(f"{actor.__name__} ended: {type(error).__name__}: {error}")

        thread = threading.Thread(target=work, name=actor.__name__, daemon=True)
        thread.start()
        return thread


class Caller:
    """A program with a token; every call is timed, and anything but the expected status is a fault."""

    def __init__(self, soak: Soak, key: str, *, scheme: str = "Token") -> None:
        self._soak = soak
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"{scheme} {key}"

    def post(
        self, path: str, body: Mapping[str, object], *, expected: tuple[int, ...] = (200,)
    ) -> tuple[int, Any, float, float]:
        """Status, answer, and when the request began and ended."""
        begun = time.monotonic()
        try:
            response = self._session.post(self._soak.address + path, json=body, timeout=_CALL_SECONDS)
        except requests.RequestException as error:
            self._soak.fault(f"{path}: {type(error).__name__}: {error}")
            return 0, None, begun, time.monotonic()
        ended = time.monotonic()
        self._soak.counts[path.rpartition("/")[2]] += 1
        if path in (BATCH, FEAST):
            self._soak.latencies.append(ended - begun)
        if response.status_code not in expected:
            self._soak.fault(f"{path}: {response.status_code}: {response.text[:300]}")
        return response.status_code, response.json(), begun, ended

"""The store that README's first command leaves, once for all tests that look at it, and the same one served.

Tests that change it clean up, or count only what is theirs. Whoever works on pages may name a folder in
QUICK_STARTED_FOLDER: the store is made there once and used again by the next run of the tests. Of tests that run in
several processes each has a copy, which reads the sources of the first.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.installation import Installation


@dataclass(frozen=True)
class QuickStarted:
    """What README's first command leaves, with what it printed."""

    installation: Installation
    printed: str

    @property
    def token(self) -> str:
        found = re.search(r"Token\s+(fs_\S+)", self.printed)
        assert found is not None, self.printed
        return found[1]


@pytest.fixture(scope="session")
def quick_started(tmp_path_factory: pytest.TempPathFactory) -> QuickStarted:
    kept = os.environ.get("QUICK_STARTED_FOLDER")
    if kept or "PYTEST_XDIST_WORKER" not in os.environ:
        return _quick_started_in(Path(kept) if kept else tmp_path_factory.mktemp("quickstart"))
    of_all, own = tmp_path_factory.getbasetemp().parent, tmp_path_factory.mktemp("quickstart")
    with (of_all / "quickstart.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _quick_started_in(of_all / "quickstart")
    shutil.copytree(of_all / "quickstart", own, dirs_exist_ok=True)
    return _quick_started_in(own)


def _quick_started_in(folder: Path) -> QuickStarted:
    """The store in that folder, made there if it is not yet."""
    installation = Installation(folder, f"sqlite:///{folder / 'data' / 'feature_store.db'}")
    said = folder / "printed.txt"
    if not said.exists():
        folder.mkdir(parents=True, exist_ok=True)
        said.write_text(installation.run("manage.py", "quickstart", "--no-serve", timeout=1_200), encoding="utf-8")
    return QuickStarted(installation, said.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def served(quick_started: QuickStarted) -> Iterator[str]:
    """The address of the quickstart store, served."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = quick_started.installation.start("manage.py", "serve", "--no-worker", "--port", str(port))
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _wait_until_healthy(address: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while True:
        assert process.poll() is None, "the server has ended"
        assert time.monotonic() < deadline, f"{address} does not answer"
        try:
            with urlopen(f"{address}/api/v1/health", timeout=5) as answer:
                json.load(answer)
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)

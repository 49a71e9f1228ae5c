"""The product over HTTP on loopback: from a pandas frame to a pandas frame, with the SDK."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measured import asked_work, measure, peak_of_process
from benchmarks.own_store import PROJECT, environment, token_file
from feature_store_client import FeatureStoreClient, FeatureStoreClientError

_START_SECONDS = 60.0
_CALL_SECONDS = 600.0


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """The scratch store behind ``manage.py serve``, as its address and the id of the process; ended afterwards."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(PROJECT / "manage.py"), "serve", "--no-worker", "--port", str(port)]
    log = folder / "serve.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=PROJECT, env=environment(folder), stdout=output, stderr=output)
    try:
        _wait_until_healthy(address, server, log)
        yield address, server.pid
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(_fields(stat)[1]), []).append(int(stat.parent.name))
        except OSError:  # it has ended in the meantime
            continue
    found = [pid]
    for member in found:
        found += parents.get(member, [])
    return found


def processor_seconds(pid: int) -> float:
    """What a process has used of the processor so far, all threads together."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fields(stat: Path) -> list[str]:
    """The fields after the name, which is in parentheses and may hold blanks: state, parent, ..."""
    return stat.read_text().rpartition(")")[2].split()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with FeatureStoreClient(address, retries=0, timeout=5) as client:
        while time.monotonic() < deadline and server.poll() is None:
            try:
                client.health()
            except FeatureStoreClientError:
                time.sleep(0.1)
            else:
                return
    raise RuntimeError(f"the server did not answer in {_START_SECONDS:.0f} s:\n{log.read_text()}")


def main() -> None:
    work = asked_work()
    entities: pd.DataFrame = pq.read_table(work.entities_file).to_pandas()
    token = token_file(work.folder).read_text()
    with served(work.folder) as (address, pid), FeatureStoreClient(address, token, timeout=_CALL_SECONDS) as client:
        # Both ends work and hold memory: the client's frames and the server's tables.
        measure(
            work,
            lambda: client.get_historical_features(entity_df=entities, features=work.features),
            as_table=pa.Table.from_pandas,
            peak=lambda: peak_of_process() + sum(map(peak_of_process, family(pid))),
            processor=lambda: time.process_time() + sum(map(processor_seconds, family(pid))),
            packages=("granian", "pandas", "requests"),
        )


if __name__ == "__main__":
    main()

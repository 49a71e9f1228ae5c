"""An answer that fails on the way is never taken for a whole one: a real server, real clients."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import requests

from benchmarks.servers import free_port, serving
from feature_store_client import FeatureStoreClient, ServerUnavailableError
from feature_store_client.frames import stream_to_table, table_to_stream
from tests.conftest import require
from tests.installation import PROJECT, Installation

pytestmark = pytest.mark.slow

ROWS = 25_000  # of which 10,000 are answered at a time within the least memory
NOTE = "n" * 400  # so wide that the answer takes more than the least memory for values, and is given back in parts
SLICES = {"in slices": "4 worked out, 2 given back", "at once": "1 worked out, 1 given back"}
_STOCK = """
import django
django.setup()
from datetime import datetime, UTC
from django.core.management import call_command
from catalog.access import Role
from serving.tokens import issue_token
from tests.stocked_store import make_feature, make_group, make_user, put_history
call_command("migrate", verbosity=0)
group = make_group()
make_feature(group, "balance")
make_feature(group, "note", "string")
row = {"key": "1", "event": datetime(2025, 1, 1, tzinfo=UTC), "balance_v1": 1.5, "note_v1": "n" * 400}
put_history(group, [row])
print(issue_token(user=make_user("reader", Role.VIEWER), name="test", scopes=["read"]).key)
"""
FORMATS = ["application/vnd.apache.arrow.stream", "application/vnd.apache.parquet", "text/csv", "application/json"]


@dataclass(frozen=True)
class Store:
    """One that is served; ``slices`` says in how many slices it works out the answer, and gives it back."""

    address: str
    token: str
    slices: str

    @property
    def url(self) -> str:
        return f"{self.address}/api/v1/features/historical?features=balance,note"


@pytest.fixture(scope="module", params=SLICES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that answers in slices of 10,000 rows, or all rows at once."""
    folder = tmp_path_factory.mktemp("store")
    few = {"FEATURESTORE_CONFIG": str(_with_little_memory(folder))} if request.param == "in slices" else {}
    installation = Installation(folder=folder, database_url=f"sqlite:///{folder / 'store.db'}", variables=few)
    token = installation.run("-c", _STOCK).splitlines()[-1]
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--no-ws", "--log-level", "warning", "tests.serving.faulty_site:application"]
    with serving(
        command,
        port=port,
        ready="/api/v1/health",
        cwd=PROJECT,
        log=folder / "server.log",
        environment=installation.environment,
    ) as server:
        yield Store(server.address, token, SLICES[request.param])


def _with_little_memory(folder: Path) -> Path:
    text = (PROJECT / "config_step7.yaml").read_text(encoding="utf-8")
    file = folder / "config.yaml"
    usual = "history_memory_limit: 2GB"
    assert usual in text
    file.write_text(text.replace(usual, "history_memory_limit: 1MB"), encoding="utf-8")
    return file


def entities() -> pa.Table:
    return pa.table({"entity_id": pa.array(["1", "2"] * (ROWS // 2)), "row": pa.array(range(ROWS))})


def ask(store: Store, accept: str, fault: str = "") -> requests.Response:
    headers = {"Authorization": f"Token {store.token}", "Accept": accept, "X-Fault": fault}
    headers["Content-Type"] = "application/vnd.apache.arrow.stream"
    return requests.post(store.url, data=table_to_stream(entities()), headers=headers, timeout=180)


@pytest.mark.parametrize("accept", FORMATS)
def test_a_whole_answer_has_the_length_that_was_promised(store: Store, accept: str) -> None:
    answer = ask(store, accept)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert (answer.headers["X-Row-Count"], "Transfer-Encoding" in answer.headers) == (str(ROWS), False)
    assert answer.headers["X-Slices"] == store.slices
    match accept:
        case "application/json":
            values = [(row["balance"], row["note"]) for row in answer.json()["data"]]
        case "text/csv":
            values = rows_of(pd.read_csv(io.BytesIO(answer.content)))
        case "application/vnd.apache.parquet":
            values = rows_of(pd.read_parquet(io.BytesIO(answer.content)))
        case _:
            values = rows_of(stream_to_table(answer.content).to_pandas())
    assert values == [(1.5, NOTE), (None, None)] * (ROWS // 2)


def rows_of(frame: pd.DataFrame) -> list[tuple[float | None, str | None]]:
    columns = [frame[name].astype(object).where(frame[name].notna(), None) for name in ("balance", "note")]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("accept", FORMATS)
@pytest.mark.parametrize(("fault", "status", "code"), [("history", 503, "unavailable"), ("bug", 500, "server_error")])
def test_what_fails_while_it_is_worked_out_is_an_error_and_no_answer(
    store: Store, accept: str, fault: str, status: int, code: str
) -> None:
    answer = ask(store, accept, fault)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize("accept", FORMATS)
def test_what_fails_while_it_is_sent_breaks_the_connection(store: Store, accept: str) -> None:
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        ask(store, accept, "sending")
    assert ask(store, accept).status_code == 200


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_another_client_notices_too(store: Store, tmp_path: Path, version: str) -> None:
    require(shutil.which("curl") is not None, "curl")
    rows, into = tmp_path / "rows.arrow", tmp_path / "answer.csv"
    rows.write_bytes(table_to_stream(entities()))

    def curl(fault: str) -> int:
        headers = [f"Authorization: Token {store.token}", "Accept: text/csv", f"X-Fault: {fault}"]
        headers.append("Content-Type: application/vnd.apache.arrow.stream")
        flags = [part for header in headers for part in ("-H", header)]
        command = ["curl", "-s", version, *flags, "--data-binary", f"@{rows}", "-o", str(into), store.url]
        return subprocess.run(command, timeout=180, check=False).returncode

    assert curl("none") == 0
    assert len(pd.read_csv(into)) == ROWS
    assert curl("sending") != 0


def test_the_sdk_says_that_the_answer_broke_off(store: Store) -> None:
    with FeatureStoreClient(store.address, store.token, retries=0) as client:
        assert len(client.get_historical_features(entities(), ["balance"])) == ROWS
        client._transport._session.headers["X-Fault"] = "sending"
        # Before its end; or before it began, when the server had not yet sent its headers.
        with pytest.raises(ServerUnavailableError, match="broke off before it") as broken:
            client.get_historical_features(entities(), ["balance"])
    assert broken.value.code == "connection_failed"

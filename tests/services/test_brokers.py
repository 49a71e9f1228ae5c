"""A run that is requested in one process and executed by a real worker, over each broker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection

from tests.installation import Installation
from tests.services.servers import RABBITMQ, REDIS, new_name

pytestmark = [pytest.mark.services, pytest.mark.slow]

REQUEST_AND_WAIT = """
import json, django
django.setup()
from catalog.models import FeatureGroup
from ingestion.models import RunKind
from ingestion.runs import request_run, wait_for
from ingestion.tasks import wake_worker
group = FeatureGroup.objects.get(name="customer_financial")
answers = []
for kind in (RunKind.INGEST, RunKind.VALIDATE):
    [run] = wait_for([request_run(group=group, kind=kind, wake=wake_worker)], timeout=180)
    answers.append((run.state, run.rows_appended, run.error))
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store whose features are registered, to make copies of."""
    folder = tmp_path_factory.mktemp("prepared")
    Installation(folder, f"sqlite:///{folder / 'data' / 'store.db'}").prepare()
    return folder


@pytest.fixture(params=["files", "Redis", "RabbitMQ"])
def workplace(request: pytest.FixtureRequest, tmp_path: Path, prepared: Path) -> Iterator[Installation]:
    """An installation whose tasks go over the broker."""
    shutil.copytree(prepared / "data", tmp_path / "data")
    database = f"sqlite:///{tmp_path / 'data' / 'store.db'}"
    queue = new_name()
    variables = {"DJANGO_SETTINGS_MODULE": "tests.services.queue_settings", "TASK_QUEUE": queue}
    url = ""
    if request.param != "files":
        server = REDIS if request.param == "Redis" else RABBITMQ
        server.needed()
        url = variables["CELERY_BROKER_URL"] = server.url
    yield Installation(tmp_path, database, variables)
    if url:
        with Connection(url) as connection:
            connection.channel().queue_delete(queue)


@pytest.fixture
def worker(workplace: Installation) -> Iterator[subprocess.Popen[str]]:
    process = workplace.start(
        "-m", "celery", "-A", "featurestore_site", "worker", "--concurrency", "1", "--loglevel", "INFO",
        "--without-gossip", "--without-mingle",
    )  # fmt: skip
    yield process
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def test_a_worker_executes_requested_runs(workplace: Installation, worker: subprocess.Popen[str]) -> None:
    answers = json.loads(workplace.run("-c", REQUEST_AND_WAIT))

    assert worker.poll() is None
    (ingested, rows, error), (validated, _, _) = answers
    assert (ingested, error) == ("succeeded", "")
    assert rows > 0
    assert validated == "succeeded"
    assert os.listdir(workplace.folder / "data" / "offline") == ["customer_financial"]


def test_a_request_is_kept_while_the_broker_is_away(tmp_path: Path, prepared: Path) -> None:
    shutil.copytree(prepared / "data", tmp_path / "data")
    database = f"sqlite:///{tmp_path / 'data' / 'store.db'}"
    away = Installation(tmp_path, database, {"CELERY_BROKER_URL": "amqp://guest:guest@127.0.0.1:1//"})

    printed = away.run("-c", REQUEST_AND_WAIT.replace("timeout=180", "timeout=0"))

    assert [state for state, _, _ in json.loads(printed.splitlines()[-1])] == ["queued", "queued"]

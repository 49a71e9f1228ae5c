"""Background work gives way to serving, and the configuration says how far."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from featurestore_site.configuration.sections import Performance
from featurestore_site.serving_processes import serving_parts

GIVES_WAY = """
import os
from dataclasses import replace
from pathlib import Path
from featurestore_site.priority import give_way
before = os.nice(0)
give_way(7)
session = Path("/proc/self/autogroup")
told = session.read_text().split()[-1] if session.exists() else "7"
print(os.nice(0) - before, told or "7")
"""


def test_the_process_and_its_session_let_others_go_first() -> None:
    project = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", GIVES_WAY], cwd=project, capture_output=True, text=True, check=True,
        start_new_session=True,
    )  # fmt: skip

    assert done.stdout.split() == [str(min(7, 19 - os.nice(0))), "7"]


@pytest.mark.parametrize("niceness", [0, 10, 19])
def test_only_the_worker_does(niceness: int) -> None:
    performance = Performance(worker_niceness=niceness)
    configuration = replace(settings.FEATURESTORE, performance=performance)

    parts = serving_parts(configuration, host="127.0.0.1", port=8000, worker=True)

    assert [(part.name, part.niceness) for part in parts] == [
        ("web server", 0), ("worker", niceness), ("scheduler", 0),
    ]  # fmt: skip

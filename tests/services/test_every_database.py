"""The store keeps its promises on every database it may be installed on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.installation import PROJECT
from tests.services.servers import MARIADB, POSTGRESQL, Server, new_name, url_of

pytestmark = [pytest.mark.services, pytest.mark.slow]

# Computation is the same on every database, and what starts processes of its own brings its own database.
TOUCHES_IT = "django_db and not slow and not browser and not services"
SUITES = ("tests/stores", "tests/api", "tests/serving", "tests/ingestion", "tests/catalog")


@pytest.mark.parametrize("server", [POSTGRESQL, MARIADB], ids=lambda server: server.name)
def test_the_suites_of_the_stores_and_the_api(server: Server) -> None:
    """The same tests that the default run makes on SQLite, over a real connection."""
    server.needed()
    suites = [suite for suite in SUITES if (PROJECT / suite).is_dir()]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--create-db", "-p", "no:cacheprovider", "-m", TOUCHES_IT, *suites],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": url_of(server, new_name())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]

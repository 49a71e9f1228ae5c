"""The suites that the default run makes on SQLite, over a real connection to another database."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.installation import PROJECT
from tests.services.servers import Server, new_name, url_of

# Computation is the same on every database, and what starts processes of its own brings its own database.
TOUCHES_IT = "django_db and not slow and not browser and not services"
SUITES = ("tests/stores", "tests/api", "tests/serving", "tests/ingestion", "tests/catalog")


def pass_on(server: Server) -> None:
    """Run them there; what they print when one fails is the message of the assertion."""
    server.needed()
    # How this run is divided among processes does not concern the one that it starts.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--create-db", "-p", "no:cacheprovider", "-m", TOUCHES_IT, *SUITES],
        cwd=PROJECT,
        env={**environment, "DATABASE_URL": url_of(server, new_name())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1_800,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]

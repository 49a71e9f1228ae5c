"""An installation of its own: a data folder, a database and a small warehouse, used through real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Installation:
    """``variables`` are set besides those of the database and the folder."""

    folder: Path
    database_url: str
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("FEATURESTORE_")}
        return {
            **own,
            "DJANGO_SETTINGS_MODULE": "featurestore_site.settings",
            "FEATURESTORE_CONFIG": str(PROJECT / "config_step7.yaml"),
            "FEATURESTORE_DATA_DIR": str(self.folder / "data"),
            "FEATURESTORE_REPORTS_DIR": str(self.folder / "reports"),
            "FEATURESTORE_LOGS_DIR": str(self.folder / "logs"),
            "FEATURESTORE_SECRET_KEY": "only-for-tests-" + "x" * 40,
            "DATABASE_URL": self.database_url,
            **self.variables,
        }

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a Python process of the installation, ``command`` being what follows ``python``."""
        return subprocess.Popen(
            (sys.executable, *command),
            cwd=PROJECT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, timeout: float = 400) -> str:
        """Run it to its end and return what it printed; fail the test when its exit code is not 0."""
        process = self.start(*command)
        return printed_by(process, timeout=timeout)

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def prepare(self, *, customers: int = 60, days: int = 3) -> None:
        """Migrate, make the demo warehouse and register its features."""
        self.run("-c", _PREPARE.format(customers=customers, days=days))


_PREPARE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("demo_warehouse", customers={customers}, days={days})
call_command("apply")
"""


def printed_by(process: subprocess.Popen[str], *, timeout: float = 400) -> str:
    """What the process printed until its end; fail the test when its exit code is not 0."""
    try:
        text, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
        raise AssertionError(f"{process.args} did not end within {timeout} s:\n{text}") from None
    assert process.returncode == 0, f"{process.args} ended with {process.returncode}:\n{text}"
    return text

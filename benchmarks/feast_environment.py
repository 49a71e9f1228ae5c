"""The environment of Feast, which cannot share the product's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REQUIREMENT = "feast[duckdb]"
# The folder of the repository that is served online, which uses the default offline store.
REPOSITORY = "feast_file"


def feast_interpreter(folder: Path) -> Path:
    """The interpreter of the environment in ``folder``, which is made and filled when it lacks Feast."""
    python = folder.absolute() / "bin" / "python"
    if not has_feast(python):
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=300)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", REQUIREMENT], check=True, timeout=1_800)
    return python


def has_feast(python: Path) -> bool:
    """Whether this interpreter is there and finds Feast."""
    if not python.is_file():
        return False
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('feast') is None)"
    return subprocess.run([str(python), "-c", code], check=False, timeout=60).returncode == 0

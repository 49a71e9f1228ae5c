"""The settings of a deployment are hardened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from featurestore_site.configuration.loading import PROJECT_DIR


def manage(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FEATURESTORE_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, str(PROJECT_DIR / "manage.py"), *arguments],
        env={**clean, "FEATURESTORE_DATA_DIR": str(tmp_path / "data"), **environ},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_the_deployment_check_is_clean(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", FEATURESTORE_HTTPS="1")
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr


def test_a_wrong_file_is_told_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("serving: {api_prot: 1}\n", encoding="utf-8")
    done = manage(tmp_path, "check", FEATURESTORE_CONFIG=str(file))
    assert done.returncode == 1
    assert done.stderr == f"{file}:1: serving.api_prot: unknown key; the nearest known one is serving.api_port\n"

"""The data folder and the database are for the store's own user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from featurestore_site.private_files import make_private_file, make_private_folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_is_made_is_private_and_what_is_there_stays(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "data")
    make_private_file(tmp_path / "a" / "data" / "store.db")
    assert (mode(tmp_path / "a" / "data"), mode(tmp_path / "a" / "data" / "store.db")) == (0o700, 0o600)

    (tmp_path / "a" / "data").chmod(0o750)
    (tmp_path / "a" / "data" / "store.db").write_bytes(b"kept")
    (tmp_path / "a" / "data" / "store.db").chmod(0o640)
    make_private_folder(tmp_path / "a" / "data")
    make_private_file(tmp_path / "a" / "data" / "store.db")
    assert (mode(tmp_path / "a" / "data"), mode(tmp_path / "a" / "data" / "store.db")) == (0o750, 0o640)
    assert (tmp_path / "a" / "data" / "store.db").read_bytes() == b"kept"


def test_the_settings_make_them_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    environment = {name: text for name, text in os.environ.items() if not name.startswith("FEATURESTORE_")}
    code = (
        "from featurestore_site import settings; import sqlite3;"
        "name = settings.DATABASES['default']['NAME']; base = sqlite3.connect(name);"
        "base.execute('PRAGMA journal_mode = WAL'); base.execute('CREATE TABLE t (x)'); print(name)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "FEATURESTORE_DATA_DIR": str(data)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert mode(data) == 0o700
    assert mode(Path(ran.stdout.strip())) == 0o600

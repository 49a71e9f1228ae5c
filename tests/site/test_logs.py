"""One log file, written and rotated by several processes at once."""

from __future__ import annotations

import logging
import multiprocessing
from pathlib import Path

from featurestore_site.configuration import Configuration
from featurestore_site.logs import SharedRotatingFileHandler, logging_settings

LINES, WRITERS = 200, 3


def handler(file: Path, *, max_bytes: int = 4_000, older: int = 50) -> SharedRotatingFileHandler:
    made = SharedRotatingFileHandler(file, maxBytes=max_bytes, backupCount=older, encoding="utf-8", delay=True)
    made.setFormatter(logging.Formatter("%(message)s"))
    return made


def write(file: Path, writer: int) -> None:
    target = handler(file)
    for number in range(LINES):
        target.emit(logging.makeLogRecord({"msg": f"writer {writer} line {number:04}"}))
    target.close()


def test_nothing_is_written_before_the_first_message(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "store.log"
    target = handler(file)
    assert not file.parent.exists()
    target.emit(logging.makeLogRecord({"msg": "first"}))
    target.close()
    assert file.read_text(encoding="utf-8") == "first\n"


def test_no_line_is_lost_or_torn_when_processes_rotate(tmp_path: Path) -> None:
    file = tmp_path / "store.log"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write, args=(file, writer)) for writer in range(WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    files = [path for path in tmp_path.iterdir() if path.suffix != ".lock"]
    lines = sorted(line for path in files for line in path.read_text(encoding="utf-8").splitlines())
    assert lines == [f"writer {w} line {n:04}" for w in range(WRITERS) for n in range(LINES)]
    assert len(files) > 1


def test_the_settings_follow_the_configuration(configuration: Configuration) -> None:
    settings = logging_settings(configuration)
    file = settings["handlers"]["file"]
    assert file["filename"] == str(configuration.logs_dir / "feature_store.log")
    assert (file["maxBytes"], file["backupCount"]) == (10_000_000, 4)
    assert settings["root"]["level"] == "INFO"
    assert settings["loggers"]["serving"]["level"] == "INFO"

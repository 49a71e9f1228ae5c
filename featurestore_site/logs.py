"""Log files that rotate, and that several processes can share."""

from __future__ import annotations

import logging
import logging.handlers
import os
from pathlib import Path
from typing import Any, TextIO

from featurestore_site.configuration import Configuration

try:
    import fcntl
except ImportError:  # Windows: one process writes there, or the operator collects the console.
    fcntl = None  # type: ignore[assignment]

APPS = ("featurestore_site", "catalog", "serving", "ingestion")
FILE_NAME = "feature_store.log"


class SharedRotatingFileHandler(logging.handlers.RotatingFileHandler):
    """A rotating file for the web workers, the task worker and the scheduler at once.

    The standard handler renames the file under the feet of the other processes, which go on writing into
    the old one and rotate it a second time. Here a process follows a file that was renamed, and rotates
    under a lock only when the file is still too large. The folder is made with the first message.
    """

    def _open(self) -> Any:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is not None and self._was_renamed(self.stream):
            self.stream.close()
            self.stream = self._open()
        super().emit(record)

    def doRollover(self) -> None:
        with open(f"{self.baseFilename}.lock", "w", encoding="ascii") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            if self.stream is not None and self._was_renamed(self.stream):
                self.stream.close()
                self.stream = self._open()
                return
            super().doRollover()

    def _was_renamed(self, stream: TextIO) -> bool:
        try:
            there = os.stat(self.baseFilename)
        except FileNotFoundError:
            return True
        mine = os.fstat(stream.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)


def logging_settings(configuration: Configuration) -> dict[str, Any]:
    """The value of ``LOGGING``: a shared rotating file and the console, as ``monitoring.logging`` says."""
    wanted = configuration.monitoring.logging
    level = "DEBUG" if configuration.output.detailed_logging else wanted.level
    # N files in all: the one that is written and N - 1 older ones. Without older ones nothing rotates.
    older = max(wanted.max_log_files - 1, 1)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"text": {"format": wanted.format}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "text"},
            "file": {
                "class": "featurestore_site.logs.SharedRotatingFileHandler",
                "formatter": "text",
                "filename": str(configuration.logs_dir / FILE_NAME),
                "maxBytes": int(wanted.max_log_size_mb * 1_000_000),
                "backupCount": older,
                "encoding": "utf-8",
                "delay": True,
            },
        },
        "root": {"handlers": ["console", "file"], "level": wanted.level},
        "loggers": {
            **{name: {"level": level} for name in APPS},
            "django": {"handlers": [], "level": wanted.level, "propagate": True},
            # Each refused request is an answer, not an event of the server; it shows in the access log.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }

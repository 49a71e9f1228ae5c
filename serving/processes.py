"""Whose work a row in the database is, and whether that process is still there (pure: no Django)."""

from __future__ import annotations

import os
import socket


def this_process() -> str:
    """Host and process id, as they stand in the row of what this process works on."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_dead(process: str) -> bool:
    """Whether it ran on this host and is gone; when in doubt, it is alive."""
    host, _, pid = process.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

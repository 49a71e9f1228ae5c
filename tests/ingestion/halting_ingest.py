"""``python -m tests.ingestion.halting_ingest STEP FLAG ARGUMENT...``: ``manage.py ingest``, which halts at STEP.

Once STEP (``module:function``) has done its work, the file FLAG is made and nothing goes on: the process waits
to be killed.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

django.setup()


def main(step: str, flag: str, *arguments: str) -> None:
    module, _, name = step.partition(":")
    holder = importlib.import_module(module)
    original = getattr(holder, name)

    def halt(*positional: Any, **named: Any) -> None:
        original(*positional, **named)
        Path(flag).touch()
        time.sleep(600)

    setattr(holder, name, halt)
    call_command("ingest", *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])

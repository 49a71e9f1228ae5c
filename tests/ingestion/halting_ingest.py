"""``python -m tests.ingestion.halting_ingest STEP FLAG [SETTING...] ARGUMENT...``: ``manage.py ingest``, which halts.

Once STEP (``module:function`` or ``module:function:time``, the how manieth time) has done its work, the file FLAG is
made and nothing goes on: the process waits to be killed. A SETTING (``module:NAME=number``) is made before.
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
    module, name, *which = step.split(":")
    holder = importlib.import_module(module)
    original = getattr(holder, name)
    left = int(which[0]) if which else 1

    def halt(*positional: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        done = original(*positional, **named)
        if left:
            return done
        Path(flag).touch()
        time.sleep(600)
        return None

    setattr(holder, name, halt)
    settings = [argument for argument in arguments if "=" in argument]
    for setting in settings:
        place, _, value = setting.partition("=")
        module, _, name = place.partition(":")
        setattr(importlib.import_module(module), name, int(value))
    call_command("ingest", *[argument for argument in arguments if argument not in settings])


if __name__ == "__main__":
    main(*sys.argv[1:])

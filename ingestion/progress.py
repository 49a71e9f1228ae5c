"""The live state of a run: its step, how far it is, and its log, as pages and commands show them."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db.models import Value
from django.db.models.functions import Concat

from catalog.clock import now
from ingestion.models import IngestionRun, RunStep

_WRITE_EVERY_SECONDS = 1.0


class RunProgress:
    """Writes the run's step and progress to its row, the share at most once a second."""

    def __init__(self, run: IngestionRun, *, show: Callable[[str, float], None] | None = None) -> None:
        self._run = run
        self._show = show
        self._step = RunStep.WAIT
        self._written = 0.0

    def enter(self, step: RunStep, message: str = "") -> None:
        """The run begins ``step``."""
        self._step = step
        self._written = time.monotonic()
        IngestionRun.objects.filter(pk=self._run.pk).update(step=step, progress=0.0)
        if self._show is not None:
            self._show(str(step.label), 0.0)
        if message:
            self.say(message)

    def share(self, done: int, total: int) -> None:
        """``done`` of ``total`` parts of the present step are done."""
        share = min(1.0, done / total) if total > 0 else 1.0
        if self._show is not None:
            self._show(str(self._step.label), share)
        if time.monotonic() - self._written >= _WRITE_EVERY_SECONDS:
            self._written = time.monotonic()
            IngestionRun.objects.filter(pk=self._run.pk).update(progress=share)

    def say(self, message: str) -> None:
        """Add a line to the run's log."""
        line = f"{now():%Y-%m-%d %H:%M:%S} UTC {message}\n"
        IngestionRun.objects.filter(pk=self._run.pk).update(log=Concat("log", Value(line)))

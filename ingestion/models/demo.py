from __future__ import annotations

from typing import ClassVar

from django.db import models

from ingestion.models.run import OPEN_STATES, RunState


class DemoLoad(models.Model):
    """One loading of the demo bank into an empty store, asked for on the home page, with how far it is."""

    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.QUEUED)
    requested_by = models.CharField(max_length=200)
    days = models.PositiveIntegerField(default=0, help_text="Days of the demo to live through.")
    done = models.PositiveIntegerField(default=0, help_text="Days that are over.")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When its worker last gave a sign of life.")

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"demo {self.state}, {self.done} of {self.days} days"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

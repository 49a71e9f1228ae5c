"""Runs as drawings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.urls import reverse

from catalog.drawings import Markup, Outcome, run_strip
from catalog.presentation import format_instant
from ingestion.models import IngestionRun


def strip_of(runs: Sequence[IngestionRun]) -> Markup:
    """One bar per run; ``runs`` newest first, drawn oldest first."""
    counted = Counter(run.state for run in runs)
    said = ", ".join(f"{count} {state}" for state, count in counted.items())
    return run_strip(
        outcomes=[
            Outcome(
                state=run.state,
                label=f"{run.group.name}: {run.get_kind_display()} {run.state}, {format_instant(run.created_at)}",
                href=reverse("ingestion:run", args=[run.pk]),
            )
            for run in reversed(runs)
        ],
        title=f"The last {len(runs)} runs",
        description=f"Oldest first: {said}." if said else "No run yet.",
        height=34,
    )

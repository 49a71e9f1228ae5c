from __future__ import annotations

from django.urls import reverse

from ingestion.models import IngestionRun


def run_link(run: IngestionRun) -> str:
    """The page of the run in the admin."""
    return reverse("admin:ingestion_ingestionrun_change", args=[run.pk])

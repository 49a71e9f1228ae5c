"""The address of the state of the store, by itself, as probes ask for it of every process."""

from __future__ import annotations

from django.urls import path

from ingestion.api.health import HealthView

urlpatterns = [path("", HealthView.as_view(), name="health")]

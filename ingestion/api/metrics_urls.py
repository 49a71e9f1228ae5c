"""The address of the metrics, at the root of the site."""

from __future__ import annotations

from django.urls import path

from ingestion.api.metrics import MetricsView

urlpatterns = [path("", MetricsView.as_view(), name="metrics")]

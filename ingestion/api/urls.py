"""Addresses of the calls about runs and the state of the store, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from ingestion.api.health import HealthView
from ingestion.api.runs import ReportViewSet, RunViewSet
from ingestion.api.starting import StartingViewSet
from ingestion.api.stats import StatsView

router = SimpleRouter(trailing_slash=False)
router.register("runs", RunViewSet, basename="run")
router.register("reports", ReportViewSet, basename="report")

urlpatterns = [
    path("health", HealthView.as_view(), name="health"),
    path("stats", StatsView.as_view(), name="stats"),
    path("refresh", StartingViewSet.as_view({"post": "refresh"}), name="refresh"),
    path("validate", StartingViewSet.as_view({"post": "validate"}), name="validate"),
    *router.urls,
]

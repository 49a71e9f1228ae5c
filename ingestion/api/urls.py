"""Addresses of the calls about runs and the state of the store, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from ingestion.api.feature_quality import FeatureQualityViewSet
from ingestion.api.group_parts import GroupPartsViewSet
from ingestion.api.home import HomeView
from ingestion.api.open_lineage import OpenLineageView
from ingestion.api.quality import QualityView
from ingestion.api.quarantine import QuarantineViewSet
from ingestion.api.runs import ReportViewSet, RunViewSet
from ingestion.api.starting import StartingViewSet
from ingestion.api.stats import StatsView

router = SimpleRouter(trailing_slash=False)
router.register("runs", RunViewSet, basename="run")
router.register("quarantine", QuarantineViewSet, basename="quarantine")
router.register("reports", ReportViewSet, basename="report")

urlpatterns = [
    path("home", HomeView.as_view(), name="api-home"),
    path("stats", StatsView.as_view(), name="stats"),
    path("metadata/lineage/openlineage", OpenLineageView.as_view(), name="metadata-lineage-openlineage"),
    path(
        "metadata/features/<str:ref>/quality",
        FeatureQualityViewSet.as_view({"get": "retrieve"}),
        name="feature-quality",
    ),
    path("metadata/groups/<str:name>/quality", GroupPartsViewSet.as_view({"get": "quality"}), name="group-quality"),
    path("metadata/groups/<str:name>/source", GroupPartsViewSet.as_view({"get": "source"}), name="group-source"),
    path("quality", QualityView.as_view(), name="quality"),
    path("refresh", StartingViewSet.as_view({"post": "refresh"}), name="refresh"),
    path("validate", StartingViewSet.as_view({"post": "validate"}), name="validate"),
    *router.urls,
]

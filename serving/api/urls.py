"""Addresses of the calls that read values, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from serving.api.datasets import DatasetViewSet
from serving.api.explanations import ExplanationViewSet
from serving.api.historical import HistoricalViewSet
from serving.api.online import OnlineValueViewSet

urlpatterns = [
    path("features/batch", OnlineValueViewSet.as_view({"post": "batch"}), name="features-batch"),
    path("features/historical", HistoricalViewSet.as_view({"post": "create"}), name="features-historical"),
    path(
        "features/<str:reference>/entity", OnlineValueViewSet.as_view({"get": "by_keys"}), name="feature-value-by-keys"
    ),
    path("features/<str:reference>/explain", ExplanationViewSet.as_view({"get": "by_keys"}), name="explain-by-keys"),
    path(
        "features/<str:reference>/entity/<path:entity_id>/explain",
        ExplanationViewSet.as_view({"get": "by_id"}),
        name="explain",
    ),
    path(
        "features/<str:reference>/entity/<path:entity_id>",
        OnlineValueViewSet.as_view({"get": "by_id"}),
        name="feature-value",
    ),
    path("datasets", DatasetViewSet.as_view({"get": "list", "post": "create"}), name="dataset-list"),
    path("datasets/<uuid:pk>", DatasetViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="dataset-detail"),
    path("datasets/<uuid:pk>/download", DatasetViewSet.as_view({"get": "download"}), name="dataset-download"),
    path("datasets/<uuid:pk>/verify", DatasetViewSet.as_view({"post": "verify"}), name="dataset-verify"),
]

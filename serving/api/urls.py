"""Addresses of the calls that read values, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from serving.api.historical import HistoricalViewSet
from serving.api.online import OnlineValueViewSet

urlpatterns = [
    path("features/batch", OnlineValueViewSet.as_view({"post": "batch"}), name="features-batch"),
    path("features/historical", HistoricalViewSet.as_view({"post": "create"}), name="features-historical"),
    path(
        "features/<str:reference>/entity", OnlineValueViewSet.as_view({"get": "by_keys"}), name="feature-value-by-keys"
    ),
    path(
        "features/<str:reference>/entity/<path:entity_id>",
        OnlineValueViewSet.as_view({"get": "by_id"}),
        name="feature-value",
    ),
]

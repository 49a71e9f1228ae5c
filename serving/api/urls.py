"""Addresses of the calls that read single values and batches, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from serving.api.explanations import ExplanationViewSet
from serving.api.online import OnlineValueViewSet

urlpatterns = [
    path("features/batch", OnlineValueViewSet.as_view({"post": "batch"}), name="features-batch"),
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
]

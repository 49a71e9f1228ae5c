"""Addresses of the calls of histories, whole entities, training datasets and what is stored, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from serving.api.datasets import DatasetViewSet
from serving.api.entity_lookup import EntityLookupViewSet
from serving.api.group_storage import GroupStorageViewSet
from serving.api.historical import HistoricalViewSet
from serving.api.own_tokens import OwnTokenViewSet

urlpatterns = [
    path("metadata/groups/<str:name>/storage", GroupStorageViewSet.as_view({"get": "retrieve"}), name="group-storage"),
    path("metadata/me/tokens", OwnTokenViewSet.as_view({"get": "list"}), name="own-token-list"),
    path("entities/<str:name>", EntityLookupViewSet.as_view({"get": "retrieve"}), name="entity-lookup"),
    path("features/historical", HistoricalViewSet.as_view({"post": "create"}), name="features-historical"),
    path("datasets", DatasetViewSet.as_view({"get": "list", "post": "create"}), name="dataset-list"),
    path("datasets/<uuid:pk>", DatasetViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="dataset-detail"),
    path("datasets/<uuid:pk>/download", DatasetViewSet.as_view({"get": "download"}), name="dataset-download"),
    path("datasets/<uuid:pk>/verify", DatasetViewSet.as_view({"post": "verify"}), name="dataset-verify"),
]

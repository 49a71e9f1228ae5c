"""Addresses of the calls that tell and change what exists, below ``/api/v1/``."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from catalog.api.features import FeatureViewSet
from catalog.api.follows import FeatureFollowView, FollowViewSet, GroupFollowView
from catalog.api.groups import GroupViewSet
from catalog.api.journal import JournalViewSet
from catalog.api.lineage import LineageMapView
from catalog.api.own import CompareView, FeatureRequestViewSet, MeView, SavedViewViewSet
from catalog.api.services import ServiceViewSet
from catalog.api.vocabulary import EntityViewSet, TagViewSet

router = SimpleRouter(trailing_slash=False)
router.register("metadata/features", FeatureViewSet, basename="feature")
router.register("metadata/groups", GroupViewSet, basename="group")
router.register("metadata/services", ServiceViewSet, basename="service")
router.register("metadata/entities", EntityViewSet, basename="entity")
router.register("metadata/tags", TagViewSet, basename="tag")
router.register("metadata/views", SavedViewViewSet, basename="saved-view")
router.register("metadata/requests", FeatureRequestViewSet, basename="feature-request")
router.register("metadata/journal", JournalViewSet, basename="journal")
router.register("metadata/follows", FollowViewSet, basename="follow")

urlpatterns = [
    path("metadata/lineage", LineageMapView.as_view(), name="metadata-lineage"),
    path("metadata/me", MeView.as_view(), name="me"),
    path("metadata/compare", CompareView.as_view(), name="compare"),
    path("metadata/features/<str:ref>/follow", FeatureFollowView.as_view(), name="feature-follow"),
    path("metadata/groups/<str:name>/follow", GroupFollowView.as_view(), name="group-follow"),
    *router.urls,
]

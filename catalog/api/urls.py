"""Addresses of the calls that tell and change what exists, below ``/api/v1/``."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from catalog.api.features import FeatureViewSet
from catalog.api.groups import GroupViewSet
from catalog.api.services import ServiceViewSet
from catalog.api.vocabulary import EntityViewSet, TagViewSet

router = SimpleRouter(trailing_slash=False)
router.register("metadata/features", FeatureViewSet, basename="feature")
router.register("metadata/groups", GroupViewSet, basename="group")
router.register("metadata/services", ServiceViewSet, basename="service")
router.register("metadata/entities", EntityViewSet, basename="entity")
router.register("metadata/tags", TagViewSet, basename="tag")

urlpatterns = router.urls

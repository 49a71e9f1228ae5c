"""The addresses of the catalog's pages; ``?`` holds the whole state of a list."""

from __future__ import annotations

from django.urls import path

from catalog.views.feature import feature
from catalog.views.feature_list import feature_list
from catalog.views.groups import group, group_list
from catalog.views.home import home
from catalog.views.lineage import lineage
from catalog.views.services import service, service_list

app_name = "catalog"

urlpatterns = [
    path("", home, name="home"),
    path("features/", feature_list, name="feature-list"),
    path("features/<str:name>/", feature, name="feature"),
    path("groups/", group_list, name="group-list"),
    path("groups/<str:name>/", group, name="group"),
    path("services/", service_list, name="service-list"),
    path("services/<str:name>/", service, name="service"),
    path("lineage/", lineage, name="lineage"),
]

"""The addresses of the catalog's pages; ``?`` holds the whole state of a list."""

from __future__ import annotations

from django.urls import path

from catalog.views import own
from catalog.views.compare import compare_features
from catalog.views.feature import feature
from catalog.views.follows import follow_feature, follow_group
from catalog.views.groups import group, group_list
from catalog.views.home import home
from catalog.views.journal import close, write_on_feature, write_on_group
from catalog.views.lineage import lineage, lineage_drawing
from catalog.views.palette import palette
from catalog.views.search import feature_list, search
from catalog.views.services import make_service, service, service_list

app_name = "catalog"

urlpatterns = [
    path("", home, name="home"),
    path("search", search, name="search"),
    path("search/palette", palette, name="palette"),
    path("search/views/save", own.save, name="save-view"),
    path("search/views/<slug:slug>/remove", own.remove, name="remove-view"),
    path("search/ask", own.ask, name="ask-for-feature"),
    path("compare", compare_features, name="compare"),
    path("me/", own.me, name="me"),
    path("features/", feature_list, name="feature-list"),
    path("features/<str:name>/", feature, name="feature"),
    path("features/<str:name>/follow", follow_feature, name="follow-feature"),
    path("features/<str:name>/journal", write_on_feature, name="write-on-feature"),
    path("groups/", group_list, name="group-list"),
    path("groups/<str:name>/", group, name="group"),
    path("groups/<str:name>/follow", follow_group, name="follow-group"),
    path("groups/<str:name>/journal", write_on_group, name="write-on-group"),
    path("journal/<int:entry_id>/close", close, name="close-incident"),
    path("services/", service_list, name="service-list"),
    path("services/make", make_service, name="make-service"),
    path("services/<str:name>/", service, name="service"),
    path("lineage/", lineage, name="lineage"),
    path("lineage/drawing.svg", lineage_drawing, name="lineage-drawing"),
]

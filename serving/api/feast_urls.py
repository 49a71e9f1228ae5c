"""Addresses where the clients of Feast look for its feature server, at the root of the site."""

from __future__ import annotations

from django.urls import path, re_path

from serving.api.feast import FeastOnlineViewSet, not_of_this_store

urlpatterns = [
    path("get-online-features", FeastOnlineViewSet.as_view({"post": "read"}), name="feast-online"),
    re_path(
        r"^(?:push|write-to-online-store|materialize|materialize-incremental|retrieve-online-documents)$",
        not_of_this_store,
    ),
]

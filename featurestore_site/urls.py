"""All addresses of the site: the API with its description, the admin, signing in."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path, re_path

from featurestore_site.api import api_urls
from featurestore_site.error_shape import bad_request, forbidden, not_found, server_error
from featurestore_site.on_demand import on_demand
from featurestore_site.page_errors import with_slash

urlpatterns: list[URLPattern | URLResolver] = [
    *api_urls(),
    path("", include("serving.api.feast_urls")),
    on_demand("admin/", "featurestore_site.admin_urls", "admin"),
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    on_demand("metrics", "ingestion.api.metrics_urls"),
    on_demand("", "catalog.urls", "catalog"),
    on_demand("", "ingestion.urls", "ingestion"),
    on_demand("", "serving.urls", "serving"),
    # The addresses of pages end with a slash; people leave it out.
    re_path(
        r"^(?P<address>(?:features|groups|services|runs|datasets)(?:/[^/]+)?|features/[^/]+/entity|lineage|me/tokens)$",
        with_slash,
    ),
]

handler400 = bad_request
handler403 = forbidden
handler404 = not_found
handler500 = server_error

"""All addresses of the site: the API with its description, the admin, signing in."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path, re_path

from featurestore_site.api import api_urls
from featurestore_site.error_shape import bad_request, forbidden, not_found, server_error
from featurestore_site.page_errors import with_slash
from ingestion.api.metrics import MetricsView

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    *api_urls(),
    path("", include("catalog.urls")),
    path("", include("ingestion.urls")),
    path("", include("serving.urls")),
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

"""All addresses of the site: the API with its description, the admin, signing in."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("api/v1/", include("serving.api.urls")),
]

if settings.FEATURESTORE.serving.api_enabled and settings.FEATURESTORE.serving.enable_api_docs:
    urlpatterns += [
        path("api/v1/schema", SpectacularAPIView.as_view(), name="api-schema"),
        path("api/v1/docs", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    ]

"""The API, put together: the calls of every app, its root, its description, and JSON for all other addresses."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from featurestore_site.error_shape import error_body, unknown_address
from featurestore_site.on_demand import on_demand
from featurestore_site.openapi import calls_of_the_api

VERSION = "v1"


class CallSerializer(serializers.Serializer[Any]):
    method = serializers.CharField()
    path = serializers.CharField()
    operation = serializers.CharField()
    summary = serializers.CharField()


class RootSerializer(serializers.Serializer[Any]):
    """The calls of the API."""

    version = serializers.CharField()
    authentication = serializers.CharField()
    schema = serializers.CharField(allow_null=True)
    docs = serializers.CharField(allow_null=True)
    calls = CallSerializer(many=True)


class RootView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="root", summary="The calls of this API. Needs no token.", responses=RootSerializer, auth=[]
    )
    def get(self, request: Request) -> Response:
        described = settings.FEATURESTORE.serving.enable_api_docs
        told = {
            "version": VERSION,
            "authentication": "Authorization: Token <key>",
            "schema": request.build_absolute_uri("/api/v1/schema") if described else None,
            "docs": request.build_absolute_uri("/api/v1/docs") if described else None,
            "calls": calls_of_the_api(),
        }
        return Response(RootSerializer(told).data)


class DocsView(SpectacularSwaggerSplitView):
    """The page of the API; it has nothing to tell by OPTIONS, for which the framework has no page."""

    http_method_names = ["get", "head"]


@csrf_exempt
def no_such_call(request: HttpRequest) -> HttpResponse:
    return unknown_address(request)


@csrf_exempt
def turned_off(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  (the framework's signature)
    message = "the API is turned off here: serving.api_enabled is false"
    return JsonResponse(error_body("unavailable", message), status=503)


def api_urls() -> list[URLPattern | URLResolver]:
    """The addresses below ``/api``, as the configuration says."""
    serving = settings.FEATURESTORE.serving
    health = on_demand("api/v1/health", "ingestion.api.health_urls")
    if not serving.api_enabled:
        return [health, re_path(r"^api(/.*)?$", turned_off)]
    described: list[URLPattern | URLResolver] = [
        path("api/v1/schema", SpectacularAPIView.as_view(), name="api-schema"),
        path("api/v1/docs", DocsView.as_view(url_name="api-schema"), name="api-docs"),
    ]
    return [
        path("api/v1/", include("serving.api.urls")),
        health,
        *(described if serving.enable_api_docs else []),
        # The list of calls is what a person finds who looks where the API begins.
        re_path(r"^api(?:/(?:v1/?)?)?$", RootView.as_view(schema=None), name="api-root"),
        on_demand("api/v1/", "serving.api.table_urls"),
        on_demand("api/v1/", "catalog.api.urls"),
        on_demand("api/v1/", "ingestion.api.urls"),
        re_path(r"^api/", no_such_call),
    ]

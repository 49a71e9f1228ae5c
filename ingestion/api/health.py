"""``health``: for probes, without a token."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ingestion.health import CheckState, recent_health


class CheckSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=[(state.value, state.value) for state in CheckState])
    message = serializers.CharField()


class HealthSerializer(serializers.Serializer[Any]):
    """Whether the parts that the store needs answer."""

    status = serializers.ChoiceField(choices=["healthy", "unhealthy"])
    checks = serializers.DictField(child=CheckSerializer())


class HealthView(APIView):
    # A probe has no token, and must not be counted against those who share its address.
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(
        operation_id="health",
        summary="Whether the store is well",
        description="503 with the same body when a part that reading needs does not answer. Needs no token.",
        responses={200: HealthSerializer, 503: HealthSerializer},
        auth=[],
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002  (the framework's signature)
        health = recent_health()
        checks = {name: {"state": check.state.value, "message": check.message} for name, check in health.checks.items()}
        response = Response({"status": health.status, "checks": checks}, status=200 if health.healthy else 503)
        response.headers["Cache-Control"] = "no-store"
        return response

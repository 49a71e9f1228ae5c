"""``/metrics``: for Prometheus, with a token like every other call."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.access import Capability
from catalog.errors import NotFound
from ingestion.metrics import CONTENT_TYPE, recent_metrics
from serving.api.renderers import JsonAnswer


class _Anything(BaseRenderer):
    """Prometheus names several formats that it would take; this answer has one."""

    media_type = "text/plain"
    format = "txt"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return data if isinstance(data, bytes) else JsonAnswer().render(data, JsonAnswer.media_type, renderer_context)


class MetricsView(APIView):
    required_capability: ClassVar = Capability.SEE_METADATA
    renderer_classes: ClassVar = [JsonAnswer, _Anything]
    schema = None

    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002  (the framework's signature)
        if not settings.FEATURESTORE.monitoring.metrics_enabled:
            raise NotFound("metrics are turned off here: monitoring.metrics_enabled is false")
        answer = HttpResponse(recent_metrics(), content_type=CONTENT_TYPE)
        answer.headers["Cache-Control"] = "no-store"
        return answer

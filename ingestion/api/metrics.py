"""``/metrics``: for Prometheus, with a token like every other call."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.access import Capability
from catalog.errors import NotFound
from ingestion.metrics import CONTENT_TYPE, recent_metrics
from serving.api.renderers import JsonAnswer


class _OneFormat(BaseContentNegotiation):
    """Prometheus names several formats that it would take; there is one, and errors are JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:  # noqa: ARG002
        return next(iter(parsers), None)

    def select_renderer(  # the framework's signature
        self,
        request: Request,  # noqa: ARG002
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class MetricsView(APIView):
    required_capability = Capability.SEE_METADATA
    renderer_classes = [JsonAnswer]
    content_negotiation_class = _OneFormat
    schema = None

    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002  (the framework's signature)
        if not settings.FEATURESTORE.monitoring.metrics_enabled:
            raise NotFound("metrics are turned off here: monitoring.metrics_enabled is false")
        answer = HttpResponse(recent_metrics(), content_type=CONTENT_TYPE)
        answer.headers["Cache-Control"] = "no-store"
        return answer

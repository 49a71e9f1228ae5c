"""``/metrics``: for Prometheus, with a token like every other call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.access import Capability
from catalog.errors import NotFound
from ingestion.metrics import CONTENT_TYPE, recent_metrics
from serving.api.renderers import JsonAnswer


class _OneFormat(BaseContentNegotiation):
    """Prometheus names several formats that it would take; there is one, and errors are JSON."""

    def select_parser(self, request: Request, parsers: Sequence[Any]) -> Any:  # noqa: ARG002
        return next(iter(parsers), None)

    def select_renderer(  # the framework's signature
        self,
        request: Request,  # noqa: ARG002
        renderers: Sequence[Any],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class MetricsView(APIView):
    required_capability: ClassVar = Capability.SEE_METADATA
    renderer_classes: ClassVar = [JsonAnswer]
    content_negotiation_class: ClassVar = _OneFormat
    schema = None

    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002  (the framework's signature)
        if not settings.FEATURESTORE.monitoring.metrics_enabled:
            raise NotFound("metrics are turned off here: monitoring.metrics_enabled is false")
        answer = HttpResponse(recent_metrics(), content_type=CONTENT_TYPE)
        answer.headers["Cache-Control"] = "no-store"
        return answer

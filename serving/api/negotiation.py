"""Which parser reads a body and which renderer writes the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_ANYTHING = "*/*"


class PlainNegotiation(DefaultContentNegotiation):
    """The framework's negotiation, which is asked only when a request says more than one plain media type.

    Nearly all programs send ``application/json`` and accept that or anything; to weigh that costs more than to look
    their values up.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> Any:
        named = request.META.get("CONTENT_TYPE")
        for parser in parsers:
            if parser.media_type == named:
                return parser
        return super().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        if format_suffix is None and not request.META.get("QUERY_STRING"):
            accepted = request.META.get("HTTP_ACCEPT", _ANYTHING)
            for renderer in renderers:
                if accepted in (_ANYTHING, renderer.media_type):
                    return renderer, renderer.media_type
        return super().select_renderer(request, renderers, format_suffix)

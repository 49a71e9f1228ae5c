"""Calls that say all of themselves at once: JSON by POST with a key, answered as JSON.

Nearly every online read is one. The framework works out on demand, and through several layers, what such a call does
not leave open; that takes it longer than the values take to read. Here the same classes authenticate, permit and limit
the call in the same order, and whatever else a request may be goes the framework's way.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import IO, Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase, ResponseHeaders
from rest_framework.request import Request
from rest_framework.response import Response

from serving.api.body_parsers import JsonBody
from serving.api.renderers import JsonAnswer
from serving.api.value_views import ValueViewSet
from serving.wire.media_types import JSON

_ANSWERED_AS_JSON = frozenset({JSON, "*/*"})


class PlainCall(Request):
    """The framework's request with plain attributes in place of what it works out on demand."""

    user: Any = None
    auth: Any = None
    data: Any = None
    accepted_renderer = JsonAnswer()
    accepted_media_type = JSON
    # By the time that anybody asks it is known who calls: there is nothing left to authenticate.
    authenticators = ()

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.META = request.META
        self.method = request.method


class PlainCallViewSet(ValueViewSet):
    """An endpoint whose plain calls take the short way; its actions find the same request on either."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        action = self.action_map.get("post")
        if action is None or not _is_plain(request.META):
            return super().dispatch(request, *args, **kwargs)
        self.begin()
        call = PlainCall(request)
        self.request, self.args, self.kwargs, self.action = call, args, kwargs, action
        self.headers = self.default_response_headers
        try:
            call.user, call.auth = self.authentication_classes[0]().authenticate(call) or (None, None)
            response = None if call.user is None else self._answer(call, action)
        except Exception as error:  # noqa: BLE001  # it raises again what is no answer
            response = self.handle_exception(error)
        if response is None:
            # Who brings no key may be signed in, which is for the framework to find out.
            return super().dispatch(request, *args, **kwargs)
        response = self.recorded(call, response)
        if isinstance(response, Response):
            return self.finalize_response(call, response, *args, **kwargs)
        response.headers._store.update(_as_stored(tuple(self.headers.items())))
        return response

    def _answer(self, call: PlainCall, action: str) -> HttpResponseBase:
        self.check_permissions(call)
        self.check_throttles(call)
        self.admit(call)
        call.data = JsonBody().parse(cast(IO[bytes], call._request), JSON, {"request": call})
        answer: HttpResponseBase = getattr(self, action)(call, *self.args, **self.kwargs)
        return answer


@lru_cache(maxsize=64)
def _as_stored(headers: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, str]]:
    """As an answer keeps them. To set one is to check it, and they are the same for all answers of an endpoint."""
    return ResponseHeaders(dict(headers))._store


def _is_plain(sent: Mapping[str, Any]) -> bool:
    return (
        sent["REQUEST_METHOD"] == "POST"
        and sent.get("CONTENT_TYPE") == JSON
        and sent.get("HTTP_ACCEPT", JSON) in _ANSWERED_AS_JSON
        and sent.get("CONTENT_LENGTH", "").lstrip("0").isdecimal()  # a body, and not in chunks
        and not sent.get("QUERY_STRING")
        and "HTTP_CONTENT_ENCODING" not in sent
    )

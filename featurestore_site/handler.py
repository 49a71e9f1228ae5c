"""The application by WSGI, as a process that serves calls it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpResponse
from django.utils.log import log_response

from featurestore_site.between_requests import close_old_connection
from featurestore_site.error_shape import API_PREFIX, OTHER_CALLS, is_call
from featurestore_site.leading_thread import LeadingThread
from featurestore_site.middleware import CALL_WITH_KEY
from serving.authentication import brings_key
from serving.stores.online import DATABASE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_SHORT_CALLS = frozenset({f"{API_PREFIX}v1/features/batch", *OTHER_CALLS})
# Some hundred entities: more of them are answered in milliseconds.
_SHORT_BYTES = 8_192


class Application(WSGIHandler):
    """Django's handler, which does for calls with a key only what they need.

    Before and after a request Django tells everybody who may want to know of it, and gives the server a response to
    read piece by piece. Nobody here wants to know but the database's connection, at which every call looks before it
    uses it, and an answer that is whole goes out whole.
    """

    def __init__(self) -> None:
        super().__init__()
        # Over a network the threads wait for their rows, and should do so side by side.
        at_hand = connections[DEFAULT_DB_ALIAS].vendor == "sqlite"
        self._leading = (
            LeadingThread() if at_hand and settings.FEATURESTORE.feature_store.online_store == DATABASE else None
        )

    def __call__(  # type: ignore[override]  # Django's stubs name what it happens to return
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if self._leading is None:
            return self._answered(environ, start_response)
        if not _is_short(environ):
            self._leading.take_long()
            return self._answered(environ, start_response)
        leads = self._leading.take_short()
        answer = self._answered(environ, start_response)
        return answer if leads or not isinstance(answer, list) else _ThenRest(answer, self._leading)

    def _answered(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("SCRIPT_NAME") or not (is_call(environ["PATH_INFO"]) and brings_key(environ)):
            return super().__call__(environ, start_response)
        close_old_connection()
        environ[CALL_WITH_KEY] = True
        request = WSGIRequest(environ)
        # As get_response does, without the addresses of this thread: they are the same for all.
        response = self._middleware_chain(request)  # type: ignore[attr-defined]  # Django's stubs leave it out
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        headers = [*response.items(), *(("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values())]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        if not isinstance(response, HttpResponse):
            response._resource_closers.append(request.close)
            return response
        request.close()
        return [response.content]


class _ThenRest:
    """A body after which the thread that sent it rests: a server closes a body when it has sent it."""

    def __init__(self, body: list[bytes], leading: LeadingThread) -> None:
        self._body, self._leading = body, leading

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        self._leading.rest()


def _is_short(environ: WSGIEnvironment) -> bool:
    length = environ.get("CONTENT_LENGTH", "")
    return environ["PATH_INFO"] in _SHORT_CALLS and length.isdecimal() and int(length) <= _SHORT_BYTES
